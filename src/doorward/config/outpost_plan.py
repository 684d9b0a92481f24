"""From the outpost's configuration to the plan of a start: files are read, secrets made, everything spelled out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from doorward.config import outpost_environment
from doorward.config.decode import decode, read_document
from doorward.config.document import Document, KeyPath
from doorward.config.entry_point import parse_address
from doorward.config.listening import access_log_of
from doorward.config.outpost import IdentityProvider, OutpostConfiguration, contradictions
from doorward.config.outpost_applications import Application, Headers, StepUp
from doorward.config.outpost_issuers import Allow, Issuer, Reached, TrustedIssuer
from doorward.config.outpost_routes import cookie_id, table_of
from doorward.config.problems import ConfigurationError, Problem, joined
from doorward.messages import entry_points, outposts
from doorward.messages.plan import LogPlan
from doorward.messages.standalone import ConnectedApplications, ForeignApplications, OutpostPlan, Reach
from doorward.tokens.secret_key import SecretKeyUnusable, read_secret_key

NAME = "doorward"
"""Name of the outpost in ``X-authentik-meta-outpost``."""
ENTRY_POINT = "outpost"
METRICS = "metrics"
_AUTH_REQUEST = {"User": "sub", "Email": "", "Groups": "@groups", "Preferred-Username": "preferred_username"}

_FACTORS = {"mfa": (("mfa", "phr", "phrh"), ("mfa",)), "phr": (("phr", "phrh"), ())}
"""What issuers say in ``acr`` (OpenID Connect Extended Authentication Profile) and ``amr`` (RFC 8176)."""
_IN_ANOTHER_WAY = "is reached in another way than by another application"
CheckPattern = Callable[[str], object]
"""Raises ValueError for an expression that may not run."""


def load(file: Path | None, check_pattern: CheckPattern, environment: Mapping[str, str] = os.environ) -> OutpostPlan:
    """The plan for a configuration file and the environment. Raises ConfigurationError with everything wrong."""
    document = read_document(file) if file is not None else Document({}, "environment")
    sources = outpost_environment.add(document, environment)
    try:
        written = decode(document, OutpostConfiguration)
        problems = [_problem(document, path, message) for path, message in contradictions(written)]
        if problems:
            raise ConfigurationError(problems)
        return _Maker(document, written, check_pattern).plan()
    except ConfigurationError as error:
        raise outpost_environment.told(error, sources) from error


def _problem(document: Document, path: KeyPath, message: str) -> Problem:
    return Problem(message, document.file, document.line(path), joined(path))


class _Maker:
    """Makes one plan, and gathers what is wrong on the way."""

    def __init__(self, document: Document, written: OutpostConfiguration, check_pattern: CheckPattern) -> None:
        self._check_pattern = check_pattern
        self._document = document
        self._written = written
        self._problems: list[Problem] = []
        self._warnings: list[str] = []

    def plan(self) -> OutpostPlan:
        written = self._written
        chain, key = "", ""
        if written.tls is not None:
            chain = self.text(written.tls.cert_file, "tls", "certFile")
            key = self.text(written.tls.key_file, "tls", "keyFile")
        applications: ForeignApplications | ConnectedApplications
        if written.identity_provider is not None:
            applications = self._connected(written.identity_provider)
        else:
            applications = self._foreign()
        table = table_of(written, chain, key, self.ca_of)
        if self._problems:
            raise ConfigurationError(sorted(self._problems, key=lambda problem: problem.line))
        return OutpostPlan(
            entry_points=tuple(self._entry_points()),
            table=table,
            applications=applications,
            trusted=written.trusted_proxies,
            state_folder=written.state,
            access_log=access_log_of(written.access_log) if written.access_log is not None else None,
            log=LogPlan(written.log.level, written.log.format, written.log.file_path),
            metrics=written.metrics is not None,
            warnings=tuple(self._warnings),
            watched=_watched(written.identity_provider),
        )

    # --- files -------------------------------------------------------------------------------------------------

    def text(self, file: str, *path: str | int) -> str:
        """What stands in ``file``, which the option at ``path`` names; a problem when it cannot be read."""
        try:
            return Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            self.problem(f"{file} cannot be read: {why}", *path)
            return ""

    def problem(self, message: str, *path: str | int) -> None:
        self._problems.append(_problem(self._document, path, message))

    def ca_of(self, file: str, *path: str | int) -> str:
        return self.text(file, *path) if file else ""

    # --- parts -------------------------------------------------------------------------------------------------

    def _entry_points(self) -> list[entry_points.EntryPoint]:
        written = self._written
        host, port = parse_address(written.listen)
        trusted = written.trusted_proxies
        made = [
            entry_points.EntryPoint(
                name=ENTRY_POINT, host=host, port=port, tls=written.tls is not None, trusted_ips=trusted
            )
        ]
        if written.metrics is not None:
            host, port = parse_address(written.metrics)
            made.append(entry_points.EntryPoint(name=METRICS, host=host, port=port))
        return made

    def _connected(self, identity: IdentityProvider) -> ConnectedApplications:
        here = "identityProvider"
        token = identity.token or self.text(identity.token_file, here, "tokenFile")
        reach = Reach(
            url=identity.url,
            connect=identity.connect or "",
            ca_pem=self.ca_of(identity.ca_file, here, "caFile"),
            insecure_skip_verify=identity.insecure_skip_verify,
        )
        if identity.insecure_skip_verify:
            self._warnings.append(f"{identity.url} is believed whatever certificate it shows (insecureSkipVerify)")
        return ConnectedApplications(reach, token, identity.poll, identity.absence)

    def _foreign(self) -> ForeignApplications:
        written = self._written
        secrets = self._secrets()
        reaches: dict[str, Reach] = {}
        providers = []
        for key, application in written.applications.items():
            path: tuple[str, ...] = ("issuer",) if application.issuer is None else ("applications", key, "issuer")
            issuer = application.issuer or written.issuer
            assert issuer is not None
            reach = self._reach(issuer, *path)
            if reaches.setdefault(issuer.url, reach) != reach:
                self.problem(_IN_ANOTHER_WAY, *path)
            providers.append(self._provider(key, application, issuer, secrets, path))
        for key, application in written.applications.items():
            for number, trusted in enumerate(application.trusted_issuers):
                there = ("applications", key, "trustedIssuers", number)
                reach = self._reach(trusted, *there)
                known = reaches.setdefault(trusted.url, msgspec.structs.replace(reach, keys_only=True))
                if msgspec.structs.replace(known, keys_only=False) != reach:
                    self.problem(_IN_ANOTHER_WAY, *there)
        return ForeignApplications(
            providers=tuple(providers),
            issuers=tuple(reaches.values()),
            secrets=secrets,
            in_file=written.session.store == "file",
            longest=written.session.lifetime,
        )

    def _reach(self, issuer: Reached, *path: str | int) -> Reach:
        if issuer.insecure_skip_verify:
            self._warnings.append(f"{issuer.url} is believed whatever certificate it shows (insecureSkipVerify)")
        ca_pem = self.ca_of(issuer.ca_file, *path, "caFile")
        return Reach(issuer.url, issuer.connect or "", ca_pem, issuer.insecure_skip_verify)

    def _secrets(self) -> tuple[str, ...]:
        cookie, state = self._written.cookie, self._written.state
        first = cookie.secret or ""
        if cookie.secret_file:
            first = self.text(cookie.secret_file, "cookie", "secretFile")
        if not first and state:
            first = self._kept_secret(Path(state))
        older = [*cookie.previous_secrets]
        for number, file in enumerate(cookie.previous_secret_files):
            older.append(self.text(file, "cookie", "previousSecretFiles", number))
        if any(len(each) < 32 for each in (first, *older)) and not self._problems:
            self.problem("holds a secret of less than 32 characters; make one with: openssl rand -hex 32", "cookie")
        return (first, *older)

    def _kept_secret(self, folder: Path) -> str:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return read_secret_key(folder / "secret.key").hex()
        except (OSError, SecretKeyUnusable) as error:
            self.problem(f"cannot be used: {error}", "state")
            return ""

    def _provider(
        self, key: str, application: Application, issuer: Issuer, secrets: tuple[str, ...], path: tuple[str, ...]
    ) -> outposts.ProxyProvider:
        here = ("applications", key)
        for name in ("skip_paths", "api_paths"):
            for number, pattern in enumerate(getattr(application, name)):
                try:
                    self._check_pattern(pattern)
                except ValueError as error:
                    self.problem(f"is no expression that may run: {error}", *here, name.replace("_p", "P"), number)
        for number, step in enumerate(application.step_up):
            try:
                self._check_pattern(step.path)
            except ValueError as error:
                self.problem(f"is no expression that may run: {error}", *here, "stepUp", number, "path")
        session = self._written.session
        secret = issuer.client_secret
        if issuer.client_secret_file:
            secret = self.text(issuer.client_secret_file, *path, "clientSecretFile")
        return outposts.ProxyProvider(
            pk=int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) >> 1,
            name=key,
            outpost=NAME,
            application_slug=key,
            application_name=application.name or key,
            external_host=application.external_url,
            client_id=issuer.client_id,
            client_secret=secret,
            cookie_secret=_cookie_secret(secrets[0], key),
            issuer=issuer.url,
            authorization_endpoint="",
            token_endpoint="",
            end_session_endpoint="",
            jwks_uri="",
            keys=(),
            scopes=issuer.scopes,
            mode="forward_domain" if application.domain else "forward_single",
            cookie_domain=application.domain or "",
            access_token_validity=session.lifetime,
            refresh_token_validity=session.lifetime,
            idle_limit=session.idle,
            skip_path_regex="\n".join(application.skip_paths),
            step_up=tuple(_step_up(step) for step in application.step_up),
            intercept_header_auth=application.bearer_tokens,
            redirect_everything=application.redirect_everything,
            skip_preflight=application.skip_preflight,
            keep_posts=application.keep_forms,
            cookie_prefix=application.cookie_prefix or "",
            foreign=self._issuer(key, application, issuer, secrets),
            trusted=tuple(
                self._trusted(trusted, application, "applications", key, "trustedIssuers", number)
                for number, trusted in enumerate(application.trusted_issuers)
            ),
        )

    def _trusted(self, trusted: TrustedIssuer, application: Application, *path: str | int) -> outposts.TrustedIssuer:
        claims = trusted.claims
        says = outposts.ForeignIssuer(
            username_claims=claims.username,
            email_claim=claims.email,
            name_claim=claims.name,
            groups_claim=claims.groups,
            admission=self._admission(trusted.allow, *path),
            headers=_headers(application.headers, claims.email),
            userinfo="never",
        )
        return outposts.TrustedIssuer(trusted.url, trusted.audiences, says)

    def _issuer(
        self, key: str, application: Application, issuer: Issuer, secrets: tuple[str, ...]
    ) -> outposts.ForeignIssuer:
        claims = issuer.claims
        redirect = f"{application.external_url}{application.callback_path}" if application.callback_path else ""
        made = outposts.ForeignIssuer(
            username_claims=claims.username,
            email_claim=claims.email,
            name_claim=claims.name,
            groups_claim=claims.groups,
            admission=self._admission(application.allow, "applications", key),
            headers=_headers(application.headers, claims.email),
            authentik_headers=application.headers.authentik,
            userinfo=issuer.userinfo,
            redirect_uri=redirect,
            client_authentication=issuer.client_authentication,
            parameters=tuple(sorted(issuer.parameters.items())),
            api_paths="\n".join(application.api_paths),
            keep_access_token=application.headers.access_token,
            outlives_tokens=self._written.session.outlives_tokens,
            cookie_id=cookie_id(issuer.client_id, key),
            older_cookie_secrets=tuple(_cookie_secret(each, key) for each in secrets[1:]),
        )
        deciding = msgspec.to_builtins(
            (made.admission, made.headers, made.username_claims, claims.groups, claims.email)
        )
        rules = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()
        return msgspec.structs.replace(made, rules=rules)

    def _admission(self, allow: Allow, *path: str | int) -> outposts.Admission:
        emails = [each.lower() for each in allow.emails]
        if allow.emails_file:
            lines = self.text(allow.emails_file, *path, "allow", "emailsFile").splitlines()
            written = [line.strip().lower() for line in lines]
            emails += [line for line in written if line and not line.startswith("#")]
            if not emails:
                self.problem("names a file without addresses", *path, "allow", "emailsFile")
        return outposts.Admission(
            groups=allow.groups,
            emails=tuple(emails),
            email_domains=allow.email_domains,
            claims=tuple(outposts.RequiredClaim(name, values) for name, values in allow.claims.items()),
            unverified_email=allow.unverified_email,
        )


def _headers(written: Headers, email_claim: str) -> tuple[outposts.ClaimHeader, ...]:
    made: list[outposts.ClaimHeader] = []
    for wanted, prefix in ((written.auth_request, "X-Auth-Request-"), (written.forwarded_user, "X-Forwarded-")):
        if wanted:
            made += [
                outposts.ClaimHeader(f"{prefix}{name}", claim or email_claim) for name, claim in _AUTH_REQUEST.items()
            ]
    if written.access_token:
        made.append(outposts.ClaimHeader("X-Forwarded-Access-Token", "@access_token"))
        if written.auth_request:
            made.append(outposts.ClaimHeader("X-Auth-Request-Access-Token", "@access_token"))
    if written.authorization:
        made.append(outposts.ClaimHeader("Authorization", "@id_token", "Bearer "))
    made += [outposts.ClaimHeader(name, claim) for name, claim in written.claims.items()]
    return tuple({each.header.lower(): each for each in made}.values())


def _step_up(written: StepUp) -> outposts.StepUpRule:
    acr, amr = _FACTORS[written.factor] if written.factor else ((), ())
    return outposts.StepUpRule(
        path=written.path,
        acr=written.acr_values or acr,
        amr=written.amr or (() if written.acr_values else amr),
        max_age=written.max_age,
        machines=written.machines,
    )


def _watched(identity: IdentityProvider | None) -> tuple[str, ...]:
    """The files that say how an identity provider is reached: somebody renews them who does not tell."""
    files = () if identity is None else (identity.token_file, identity.ca_file)
    return tuple(str(Path(file).absolute()) for file in files if file)


def _cookie_secret(secret: str, key: str) -> str:
    """What the tickets of one application are sealed with: its own, so that one never passes for another's."""
    return hashlib.sha256(f"doorward ticket\0{key}\0{secret}".encode()).hexdigest()
