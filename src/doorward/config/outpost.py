"""What an operator writes into the file that ``doorward outpost --config`` names: one outpost on its own.

Either ``issuer`` and ``applications``: any OpenID Connect provider, and what is protected with it. Or
``identityProvider``: a Doorward that says both by itself. Who may enter an application must be said; nothing is open
because a line is missing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from doorward.config.document import KeyPath
from doorward.config.entry_point import parse_address
from doorward.config.section import Duration, Flag, Names, Section, Text, WithCommas
from doorward.config.static import AccessLog, Log

LEAST_SECRET = 32
"""Characters of a cookie secret."""
_FIELD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)
_NOT_FOR_CLAIMS = frozenset({
    "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "te", "trailer",
    "upgrade", "expect", "cookie", "set-cookie", "content-type", "content-encoding", "date", "location",
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-uri",
    "x-forwarded-method", "x-forwarded-prefix", "x-forwarded-server", "x-real-ip", "forwarded",
})  # fmt: skip
_DOMAIN = re.compile(r"\.?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def _address(text: str) -> str:
    parse_address(text)
    return text


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("must be an IP address or a network such as 10.0.0.0/8") from None
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be a URL such as https://id.example.com, without query and credentials")
    return text


def _origin(text: str) -> str:
    """``https://host[:port][/path]`` without what authentik's forms leave at its end."""
    return _url(text).removesuffix("/*").rstrip("/")


def _server(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https", "unix") or (parts.scheme != "unix" and not parts.hostname):
        raise ValueError("must be a server such as http://127.0.0.1:8080 or unix:/run/app.sock")
    if parts.path not in ("", "/") and parts.scheme != "unix":
        raise ValueError("must be a server without a path; say with path which requests go there")
    return text.rstrip("/") if parts.scheme != "unix" else text


def _dial(text: str) -> str:
    host, port = parse_address(text)
    if not host:
        raise ValueError("must be host:port")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _path(text: str) -> str:
    if not re.fullmatch(r"(?:/[A-Za-z0-9._~-]+)+/?|/", text) or "/." in text:
        raise ValueError("must be a plain path such as /oauth2/callback")
    return text


def _domain(text: str) -> str:
    domain = text.lower().removeprefix("*").removeprefix("@")
    if _DOMAIN.fullmatch(domain) is None or "." not in domain.removeprefix("."):
        raise ValueError("must be a domain such as example.com, or .example.com for everything under it")
    return domain


def _claim_header(text: str) -> str:
    folded = text.lower()
    if _FIELD_NAME.fullmatch(text) is None or folded in _NOT_FOR_CLAIMS or folded.startswith("x-authentik-"):
        raise ValueError("cannot be the name of a field for a claim")
    return text


def _secret(text: str) -> str:
    if len(text) < LEAST_SECRET:
        raise ValueError(f"must have at least {LEAST_SECRET} characters; make one with: openssl rand -hex 32")
    return text


class Claims(Section):
    """Where the issuer says what. A dot leads into an object: ``realm_access.roles``."""

    username: Annotated[tuple[Text, ...], WithCommas] = ("preferred_username", "email", "sub")
    """The first that is there is the user name."""
    email: Text = "email"
    name: Text = "name"
    groups: Text = "groups"


class Reached(Section):
    """An issuer, and how it is reached."""

    url: Annotated[Text, AfterValidator(_url)]
    """The issuer identifier, to the last character as it stands in ``iss``."""
    connect: Annotated[Text, AfterValidator(_dial)] | None = None
    """``host:port`` to connect to instead of what the name of the URL means here. The name stays in TLS and Host."""
    ca_file: Text = ""
    """PEM file of the authorities that the issuer's certificate is believed from; the system's by default."""
    insecure_skip_verify: Flag = False
    """Believe any certificate. Whoever is between here and the issuer can then log in as anybody."""
    allow_http: Flag = False
    """Take an issuer without TLS that is not on this machine. The same danger."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.allow_http and not _is_here(parts.hostname or ""):
            raise ValueError("is reached without TLS: anybody on the way could log in as anybody (allowHttp: true)")
        return self


class Issuer(Reached):
    """An OpenID Connect provider, and this outpost as its client."""

    client_id: Text
    """As the issuer knows this outpost."""
    client_secret: Text = ""
    """What the issuer gave for it."""
    client_secret_file: Text = ""
    """A file that holds it; read at start."""
    client_authentication: Literal["auto", "post", "basic", "none"] = "auto"
    """How the secret is shown at the token endpoint. ``auto``: as the issuer's document says."""
    scopes: Names = ("openid", "profile", "email")
    """Add what gives you groups and refresh tokens at your issuer (``groups``, ``offline_access``)."""
    parameters: dict[str, Text] = {}
    """More parameters of the authorization request: ``prompt``, ``acr_values``, ``access_type`` …"""
    claims: Claims = Claims()
    userinfo: Literal["missing", "always", "never"] = "missing"
    """Ask the userinfo endpoint: always, never, or when the ID token lacks something that is wanted."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.client_secret and self.client_secret_file:
            raise ValueError("has clientSecret and clientSecretFile: one of them")
        if not (self.client_secret or self.client_secret_file) and self.client_authentication != "none":
            raise ValueError(
                "needs clientSecret or clientSecretFile (a client without one: clientAuthentication: none)"
            )
        if "openid" not in self.scopes:
            raise ValueError("needs openid among its scopes")
        return self


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Upstream(Section):
    """A server of the application."""

    path: Annotated[Text, AfterValidator(_path)] = "/"
    """Requests to this path and below go there; the longest that fits decides."""
    url: Annotated[Text, AfterValidator(_server)] | None = None
    urls: Annotated[tuple[Annotated[Text, AfterValidator(_server)], ...], WithCommas] = ()
    """Several servers, by turn."""
    pass_host: Flag = True
    """Send the host that the browser asked for; otherwise the server's own."""
    strip_path: Flag = False
    """Take ``path`` away from the front of what the server gets."""
    ca_file: Text = ""
    insecure_skip_verify: Flag = False
    timeout: Duration = 0.0
    """Longest wait for the first byte of an answer; 0: any."""

    @model_validator(mode="after")
    def _has_a_server(self) -> Self:
        if bool(self.url) == bool(self.urls):
            raise ValueError("needs url, or urls for several servers")
        return self


class Allow(Section):
    """Who may enter. What is given must all be fulfilled; of a list, one entry."""

    everybody: Flag = False
    """Everybody whom the issuer knows. With a public issuer that is the whole world."""
    groups: Names = ()
    emails: Names = ()
    emails_file: Text = ""
    """A file with one address a line."""
    email_domains: Annotated[tuple[Annotated[Text, AfterValidator(_domain)], ...], WithCommas] = ()
    claims: dict[str, Names] = {}
    """By name of the claim, the values of which it must have one."""
    unverified_email: Flag = False
    """Let addresses count although the issuer does not say ``email_verified``. Right where only its administrators can
    write addresses."""

    @model_validator(mode="after")
    def _says_somebody(self) -> Self:
        rules = self.groups or self.emails or self.emails_file or self.email_domains or self.claims
        if self.everybody and rules:
            raise ValueError("lets everybody in and names some: one of the two")
        if not self.everybody and not rules:
            raise ValueError("lets nobody in: name groups, emails, emailDomains or claims, or say everybody: true")
        return self


class ClaimsOfPrograms(Claims):
    """Where the issuer says what about a program."""

    username: Annotated[tuple[Text, ...], WithCommas] = ("sub",)
    """The first that is there is the user name. Whoever may choose such a claim may choose a person's name."""


class TrustedIssuer(Reached):
    """Another issuer of which programs may show tokens: a CI system, a cluster, a second identity provider."""

    audiences: Annotated[tuple[Text, ...], WithCommas]
    """``aud`` of its tokens that are meant for this application: one of them. What a token for somebody else says is
    not believed."""
    allow: Allow
    """Who may enter with its tokens; the application's own rules are about people."""
    claims: ClaimsOfPrograms = ClaimsOfPrograms()

    @model_validator(mode="after")
    def _means_somebody(self) -> Self:
        if not self.audiences or not all(self.audiences):
            raise ValueError("needs audiences: what its tokens for this application have in aud")
        return self


class Headers(Section):
    """What the application is told about the person, in request fields that no client can set."""

    authentik: Flag = True
    """The ``X-authentik-*`` fields."""
    auth_request: Flag = False
    """``X-Auth-Request-User``, ``-Email``, ``-Groups`` and ``-Preferred-Username``, as oauth2-proxy has them."""
    forwarded_user: Flag = False
    """``X-Forwarded-User``, ``-Email``, ``-Groups`` and ``-Preferred-Username``, as oauth2-proxy has them."""
    access_token: Flag = False
    """The access token, in ``X-Forwarded-Access-Token`` (and ``X-Auth-Request-Access-Token``)."""
    authorization: Flag = False
    """``Authorization: Bearer`` with the ID token."""
    claims: dict[Annotated[str, AfterValidator(_claim_header)], Text] = {}
    """More fields: name of the field, name of the claim."""


class Application(Section):
    """Something to protect."""

    name: Text = ""
    """For the pages that people see; the key by default."""
    external_url: Annotated[Text, AfterValidator(_origin)]
    """As browsers know it: ``https://wiki.example.com``, with a path where it shares its host."""
    domain: Annotated[Text, AfterValidator(_domain)] | None = None
    """Protect every host under this domain with one login, completed at ``externalUrl``."""
    upstreams: tuple[Upstream, ...] = ()
    """Its servers. Without them the outpost only answers other proxies."""
    allow: Allow
    headers: Headers = Headers()
    issuer: Issuer | None = None
    """Its own, instead of the one for all."""
    callback_path: Annotated[Text, AfterValidator(_path)] | None = None
    """Where the issuer sends browsers back to; ``/outpost.goauthentik.io/callback`` by default."""
    skip_paths: tuple[Text, ...] = ()
    """Regular expressions: paths that everybody may open, without a word about anybody."""
    api_paths: tuple[Text, ...] = ()
    """Regular expressions: paths where strangers get a 401 and are not sent to log in."""
    skip_preflight: Flag = False
    """Let a browser's CORS preflight pass."""
    bearer_tokens: Flag = False
    """Let programs in that send a token of the issuer for this client in ``Authorization: Bearer``."""
    trusted_issuers: tuple[TrustedIssuer, ...] = ()
    """With ``bearerTokens``: others whose tokens count as well."""
    redirect_everything: Flag = False
    """Send scripts to log in as well, instead of a 401."""
    keep_forms: Flag = False
    """Keep a form that meets an ended session, and offer to send it after the login."""


class Session(Section):
    """How long one is logged in, and where that is kept."""

    store: Literal["cookie", "file"] = "cookie"
    """``cookie``: sealed, in the browser. ``file``: on the server, in ``state``; ends at once when it ends."""
    lifetime: Duration = 86400.0
    """After this one logs in again."""
    idle: Duration = 0.0
    """A session ends when no request came with it for so long, to about a minute; 0: no limit."""
    outlives_tokens: Flag = False
    """Where the issuer gives no refresh token, let a session live on when its access token ends. What changes at the
    issuer is then not noticed before ``lifetime`` is over."""


class Cookie(Section):
    """The secret that cookies are sealed with. Without one it is made and kept in ``state``."""

    secret: Annotated[Text, AfterValidator(_secret)] | None = None
    secret_file: Text = ""
    previous_secrets: Annotated[tuple[Annotated[Text, AfterValidator(_secret)], ...], WithCommas] = ()
    """Cookies sealed with these are still good: after a change, until the longest session is over."""
    previous_secret_files: Names = ()


class Tls(Section):
    cert_file: Text
    """PEM, the chain in order."""
    key_file: Text
    """PEM."""


class IdentityProvider(Section):
    """A Doorward identity provider that says what is protected and keeps the sessions."""

    url: Annotated[Text, AfterValidator(_origin)]
    """As this outpost reaches it: ``https://auth.example.com``, or ``http://doorward:9000`` inside."""
    token: Text = ""
    """The outpost's token (see the outpost's page in the administration)."""
    token_file: Text = ""
    connect: Annotated[Text, AfterValidator(_dial)] | None = None
    """``host:port`` to connect to instead of what the name of the URL means here."""
    ca_file: Text = ""
    insecure_skip_verify: Flag = False
    poll: Annotated[Duration, Field(ge=0.2, le=4)] = 1.0
    """How often it is asked what has changed."""
    absence: Duration = 3600.0
    """How long people who are logged in go on while it cannot be reached; others are told to wait."""

    @model_validator(mode="after")
    def _has_a_token(self) -> Self:
        if (self.token and self.token_file) or not (self.token or self.token_file):
            raise ValueError("needs token or tokenFile, one of them")
        return self


class OutpostConfiguration(Section):
    """The whole file."""

    listen: Annotated[Text, AfterValidator(_address)] = ":9000"
    """``[host]:port`` for browsers and proxies."""
    tls: Tls | None = None
    """Serve TLS at ``listen``, and plain HTTP no more."""
    trusted_proxies: Annotated[tuple[Annotated[Text, AfterValidator(_network)], ...], WithCommas] = (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fe80::/10", "::1/128",
    )  # fmt: skip
    """Whose word about a client is taken, and who may ask in a browser's name."""
    issuer: Issuer | None = None
    applications: dict[str, Application] = {}
    identity_provider: IdentityProvider | None = None
    session: Session = Session()
    cookie: Cookie = Cookie()
    state: Text = ""
    """Folder for what must survive a restart: the cookie secret, the session file, the list of ended sessions."""
    metrics: Annotated[Text, AfterValidator(_address)] | None = None
    """Address of ``/metrics``, such as ``:9300``."""
    access_log: AccessLog | None = None
    log: Log = Log()


def contradictions(written: OutpostConfiguration) -> Iterator[tuple[KeyPath, str]]:
    """What is fine part by part and wrong together."""
    if written.identity_provider is not None:
        for name in ("issuer", "applications"):
            if getattr(written, name):
                yield (name,), "cannot be beside identityProvider, which says by itself what is protected"
        return
    if not written.applications:
        yield (), "protects nothing: name applications (or an identityProvider)"
    homes: dict[str, str] = {}
    for key, application in written.applications.items():
        here = ("applications", key)
        if application.issuer is None and written.issuer is None:
            yield here, "has no issuer, and there is none for all"
        other = homes.setdefault(application.external_url.lower(), key)
        if other != key:
            yield (*here, "externalUrl"), f"is that of the application {other!r} as well"
        host = urlsplit(application.external_url).hostname or ""
        if application.domain and host != application.domain and not host.endswith(f".{application.domain}"):
            yield (*here, "externalUrl"), f"is not under the domain {application.domain!r}"
        issuers = [each.url for each in application.trusted_issuers]
        own = application.issuer or written.issuer
        if issuers and not application.bearer_tokens:
            yield (*here, "trustedIssuers"), "has no effect without bearerTokens: true"
        if len(set(issuers)) < len(issuers) or (own is not None and own.url in issuers):
            yield (*here, "trustedIssuers"), "names an issuer twice, or the application's own"
        paths = [upstream.path.rstrip("/") for upstream in application.upstreams]
        if len(set(paths)) < len(paths):
            yield (*here, "upstreams"), "has two upstreams with the same path"
    if written.session.store == "file" and not written.state:
        yield ("session", "store"), "needs a folder: state: /var/lib/doorward-outpost"
    if not (written.cookie.secret or written.cookie.secret_file or written.state):
        yield (
            ("cookie",),
            (
                "needs a secret (make one with: openssl rand -hex 32), or a folder to keep one in: "
                "state: /var/lib/doorward-outpost"
            ),
        )
