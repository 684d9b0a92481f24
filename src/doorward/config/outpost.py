"""What an operator writes into the file that ``doorward outpost --config`` names: one outpost on its own.

Either ``issuer`` and ``applications``: any OpenID Connect provider, and what is protected with it. Or
``identityProvider``: a Doorward that says both by itself. Who may enter an application must be said; nothing is open
because a line is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from doorward.config.document import KeyPath
from doorward.config.outpost_applications import Application
from doorward.config.outpost_issuers import Issuer
from doorward.config.outpost_values import a_dial_address, a_network, a_secret, an_address, an_origin
from doorward.config.section import Duration, Flag, Names, Section, Text, WithCommas
from doorward.config.static import AccessLog, Log


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

    secret: Annotated[Text, AfterValidator(a_secret)] | None = None
    secret_file: Text = ""
    previous_secrets: Annotated[tuple[Annotated[Text, AfterValidator(a_secret)], ...], WithCommas] = ()
    """Cookies sealed with these are still good: after a change, until the longest session is over."""
    previous_secret_files: Names = ()


class Tls(Section):
    cert_file: Text
    """PEM, the chain in order."""
    key_file: Text
    """PEM."""


class IdentityProvider(Section):
    """A Doorward identity provider that says what is protected and keeps the sessions."""

    url: Annotated[Text, AfterValidator(an_origin)]
    """As this outpost reaches it: ``https://auth.example.com``, or ``http://doorward:9000`` inside."""
    token: Text = ""
    """The outpost's token (see the outpost's page in the administration)."""
    token_file: Text = ""
    connect: Annotated[Text, AfterValidator(a_dial_address)] | None = None
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

    listen: Annotated[Text, AfterValidator(an_address)] = ":9000"
    """``[host]:port`` for browsers and proxies."""
    tls: Tls | None = None
    """Serve TLS at ``listen``, and plain HTTP no more."""
    trusted_proxies: Annotated[tuple[Annotated[Text, AfterValidator(a_network)], ...], WithCommas] = (
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
    metrics: Annotated[Text, AfterValidator(an_address)] | None = None
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
        if application.cookie_prefix and not application.external_url.startswith("https:"):
            yield (*here, "cookiePrefix"), "browsers keep such a cookie only where externalUrl begins with https"
        elif application.cookie_prefix == "host" and application.domain:
            yield (*here, "cookiePrefix"), "a __Host- cookie is one host's: with a domain only secure can be used"
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
