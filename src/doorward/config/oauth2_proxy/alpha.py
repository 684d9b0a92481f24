"""oauth2-proxy's structured format (``--alpha-config``), as the options that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from doorward.config.document import Document, KeyPath, Plain, read_text
from doorward.config.oauth2_proxy.written import Injection, Upstream, Written
from doorward.config.problems import ConfigurationError, Problem
from doorward.config.yaml_text import read_yaml

_PROVIDER = {
    "clientid": "client_id", "clientsecret": "client_secret", "clientsecretfile": "client_secret_file",
    "provider": "provider", "name": "provider_display_name", "cafiles": "provider_ca_files",
    "usesystemtruststore": "use_system_trust_store", "loginurl": "login_url", "redeemurl": "redeem_url",
    "profileurl": "profile_url", "skipclaimsfromprofileurl": "skip_claims_from_profile_url", "resource": "resource",
    "validateurl": "validate_url", "scope": "scope", "allowedgroups": "allowed_groups",
    "code_challenge_method": "code_challenge_method", "backendlogouturl": "backend_logout_url",
    "authrequestresponsemode": "auth_request_response_mode", "oidcconfig.issuerurl": "oidc_issuer_url",
    "oidcconfig.insecureallowunverifiedemail": "insecure_oidc_allow_unverified_email",
    "oidcconfig.insecureskipissuerverification": "insecure_oidc_skip_issuer_verification",
    "oidcconfig.insecureskipnonce": "insecure_oidc_skip_nonce", "oidcconfig.skipdiscovery": "skip_oidc_discovery",
    "oidcconfig.jwksurl": "oidc_jwks_url", "oidcconfig.publickeyfiles": "oidc_public_key_files",
    "oidcconfig.emailclaim": "oidc_email_claim", "oidcconfig.groupsclaim": "oidc_groups_claim",
    "oidcconfig.useridclaim": "user_id_claim", "oidcconfig.audienceclaims": "oidc_audience_claims",
    "oidcconfig.extraaudiences": "oidc_extra_audiences", "oidcconfig.enabledsigningalgs": "oidc_enabled_signing_algs",
    "keycloakconfig.groups": "keycloak_groups", "keycloakconfig.roles": "allowed_roles",
    "azureconfig.tenant": "azure_tenant", "azureconfig.graphgroupfield": "azure_graph_group_field",
    "microsoftentraidconfig.allowedtenants": "entra_id_allowed_tenants",
    "microsoftentraidconfig.federatedtokenauth": "entra_id_federated_token_auth",
    "bitbucketconfig.team": "bitbucket_team", "bitbucketconfig.repository": "bitbucket_repository",
    "githubconfig.org": "github_org", "githubconfig.team": "github_team", "githubconfig.repo": "github_repo",
    "githubconfig.token": "github_token", "githubconfig.users": "github_users",
    "gitlabconfig.group": "gitlab_groups", "gitlabconfig.projects": "gitlab_projects",
    "googleconfig.group": "google_groups", "googleconfig.adminemail": "google_admin_email",
    "googleconfig.serviceaccountjson": "google_service_account_json", "logingovconfig.jwtkey": "jwt_key",
    "logingovconfig.jwtkeyfile": "jwt_key_file", "logingovconfig.pubjwkurl": "pubjwk_url",
}  # fmt: skip
_SILENT = frozenset({"id", "additionalclaims", "adfsconfig.skipscope"})
_COOKIE = {
    "name": "cookie_name", "secret": "cookie_secret", "secretfile": "cookie_secret_file", "domains": "cookie_domains",
    "path": "cookie_path", "expire": "cookie_expire", "refresh": "cookie_refresh", "secure": "cookie_secure",
    "httponly": "cookie_httponly", "samesite": "cookie_samesite", "csrfexpire": "cookie_csrf_expire",
    "csrfperrequest": "cookie_csrf_per_request", "csrfperrequestlimit": "cookie_csrf_per_request_limit",
    "csrfsamesite": "cookie_csrf_samesite",
}  # fmt: skip
_CLAIMS = {
    "user": "sub",
    "email": "@email",
    "groups": "@groups",
    "access_token": "@access_token",
    "id_token": "@id_token",
}
_UPSTREAM_SILENT = frozenset({"id", "flushinterval", "proxywebsockets", "disablekeepalives"})


def from_alpha(written: Written, file: Path) -> None:
    """Add what an alpha file says. Raises ConfigurationError."""
    document = read_yaml(read_text(file), str(file))
    if not isinstance(document.data, dict):
        raise ConfigurationError([Problem("is no configuration", str(file))])
    _Alpha(written, document, str(file)).read(document.data)


class _Alpha:
    def __init__(self, written: Written, document: Document, file: str) -> None:
        self._written = written
        self._document = document
        self._file = file

    def read(self, data: dict[str, Plain]) -> None:
        for key, value in data.items():
            path: KeyPath = (key,)
            match key.lower():
                case "providers":
                    self._providers(value, path)
                case "upstreamconfig":
                    self._upstreams(value, path)
                case "upstreams":  # before the section around it was made
                    self._upstreams({"upstreams": value}, ())
                case "injectrequestheaders":
                    self._headers(value, path)
                case "injectresponseheaders":
                    self._headers(value, path)
                case "server":
                    self._server(value, path, "http_address", "https_address")
                case "metricsserver":
                    self._server(value, path, "metrics_address", "metrics_secure_address")
                case "cookie":
                    self._named(value, path, _COOKIE)
                case _:
                    self._unknown(path)

    def _providers(self, value: Plain, path: KeyPath) -> None:
        providers = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
        if len(providers) > 1:
            self._unlike((*path, 1), "one application has one issuer", "an application for each")
        for provider in providers[:1]:
            parameters = provider.pop("loginURLParameters", None)
            self._named(provider, (*path, 0), _PROVIDER)
            self._parameters(parameters, (*path, 0, "loginURLParameters"))

    def _named(self, value: Plain, path: KeyPath, names: dict[str, str]) -> None:
        for here, item in _leaves(value, ()):
            dotted = ".".join(here).lower()
            if dotted in names:
                self._written.set(names[dotted], item, self._place((*path, *here)))
            elif dotted not in _SILENT:
                self._unknown((*path, *here))

    def _parameters(self, value: Plain, path: KeyPath) -> None:
        for number, parameter in enumerate(value if isinstance(value, list) else []):
            if not isinstance(parameter, dict):
                continue
            name, default = str(parameter.get("name")), parameter.get("default")
            if isinstance(default, list) and len(default) == 1 and name in ("prompt", "acr_values"):
                self._written.set(name, default[0], self._place((*path, number)))
            elif default:
                why = "parameters are written by hand"
                self._unlike((*path, number), why, f"issuer: {{parameters: {{{name}: …}}}}")
            if parameter.get("allow"):
                why = "what a link says must not steer the login"
                self._unlike((*path, number), why, "fixed parameters: issuer: {parameters: …}")

    def _upstreams(self, value: Plain, path: KeyPath) -> None:
        section = value if isinstance(value, dict) else {}
        self._written.upstreams = self._written.upstreams or []
        for key, item in section.items():
            if key.lower() == "upstreams" and isinstance(item, list):
                for number, upstream in enumerate(item):
                    if isinstance(upstream, dict):
                        self._upstream(upstream, (*path, key, number))
            elif key.lower() != "proxyrawpath":
                self._unknown((*path, key))

    def _upstream(self, upstream: dict[str, Plain], path: KeyPath) -> None:
        said = {key.lower(): value for key, value in upstream.items()}
        if said.get("static"):
            why = "nothing is answered in an application's place"
            self._unlike(path, why, "no upstreams: then the outpost only answers proxies")
            return
        if said.get("rewritetarget"):
            self._unlike(path, "paths are not rewritten", "upstreams: stripPath, or the proxy in front")
            return
        for key in upstream:
            if key.lower() not in _UPSTREAM_SILENT | {
                "path", "uri", "passhostheader", "insecureskiptlsverify", "timeout", "static", "staticcode",
                "rewritetarget",
            }:  # fmt: skip
                self._unknown((*path, key))
        assert self._written.upstreams is not None
        self._written.upstreams.append(
            Upstream(
                path=str(said.get("path") or "/"),
                url=str(said.get("uri") or ""),
                place=self._place(path),
                pass_host=None if said.get("passhostheader") is None else bool(said["passhostheader"]),
                insecure=None if said.get("insecureskiptlsverify") is None else bool(said["insecureskiptlsverify"]),
                timeout=str(said.get("timeout") or ""),
            )
        )

    def _headers(self, value: Plain, path: KeyPath) -> None:
        self._written.injections = self._written.injections or []
        for number, header in enumerate(value if isinstance(value, list) else []):
            here = (*path, number)
            if not isinstance(header, dict):
                continue
            said = {key.lower(): item for key, item in header.items()}
            values = said.get("values")
            claims = [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []
            if said.get("preserverequestvalue"):
                self._unlike(here, "a client could say who it is", "the field is the outpost's alone")
            if len(claims) != 1:
                self._unlike(here, "a field has one value", "a field for each")
                continue
            self._claim(str(said.get("name")), claims[0], here)

    def _claim(self, name: str, value: dict[str, Plain], path: KeyPath) -> None:
        source = value.get("claimSource", value)
        said = {key.lower(): item for key, item in source.items()} if isinstance(source, dict) else {}
        if said.get("basicauthpassword"):
            why = "one password for everybody says nothing about who it is"
            self._unlike(path, why, "headers: {authorization: true} hands the signed ID token on")
        elif not said.get("claim"):
            self._unlike(path, "only what is known of a person is handed on", "a fixed field in the proxy in front")
        else:
            claim = str(said["claim"])
            assert self._written.injections is not None
            self._written.injections.append(
                Injection(name, _CLAIMS.get(claim, claim), str(said.get("prefix") or ""), self._place(path))
            )

    def _server(self, value: Plain, path: KeyPath, plain: str, secure: str) -> None:
        for here, item in _leaves(value, ()):
            dotted = ".".join(here).lower()
            place = self._place((*path, *here))
            match dotted:
                case "bindaddress":
                    self._written.set(plain, item, place)
                case "securebindaddress":
                    self._written.set(secure, item, place)
                case "tls.key.fromfile" if plain == "http_address":
                    self._written.set("tls_key_file", item, place)
                case "tls.cert.fromfile" if plain == "http_address":
                    self._written.set("tls_cert_file", item, place)
                case "tls.minversion":
                    self._written.set("tls_min_version", item, place)
                case "tls.ciphersuites":
                    self._written.set("tls_cipher_suites", item, place)
                case _:
                    self._unknown((*path, *here))

    def _place(self, path: KeyPath) -> str:
        line = self._document.line(path)
        return f"{self._file}:{line}" if line else self._file

    def _unknown(self, path: KeyPath) -> None:
        self._written.unknown.append((self._place(path), _dotted(path), ""))

    def _unlike(self, path: KeyPath, why: str, nearest: str) -> None:
        self._written.unlike.append((self._place(path), _dotted(path), why, nearest))


def _leaves(value: Plain, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Plain]]:
    """Everything below that is no mapping, with the keys that lead there."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path, value


def _dotted(path: KeyPath) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
