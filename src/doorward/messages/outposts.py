"""What the outpost must know of the identity provider's configuration, pushed to it and kept in memory."""

from __future__ import annotations

from msgspec import Struct

IDENTITY_HEADERS = (
    "X-authentik-username",
    "X-authentik-groups",
    "X-authentik-entitlements",
    "X-authentik-email",
    "X-authentik-name",
    "X-authentik-uid",
    "X-authentik-jwt",
    "X-authentik-meta-jwks",
    "X-authentik-meta-outpost",
    "X-authentik-meta-provider",
    "X-authentik-meta-app",
    "X-authentik-meta-version",
)
"""What an application may learn about its user (``contracts/outpost.md`` section 9)."""


class VerificationKey(Struct, frozen=True):
    """A public key of the issuer."""

    kid: str
    alg: str
    """The only algorithm for which this key is used (RFC 8725 section 3.1)."""
    jwk: str
    """The public JWK, as JSON text."""


class RequiredClaim(Struct, frozen=True):
    """A claim that must have one of these values, or hold one of them where it is a list."""

    name: str
    """As ``ClaimHeader.claim``."""
    values: tuple[str, ...]


class Admission(Struct, frozen=True):
    """Who may enter, as far as claims can say it. Each part that is not empty must be satisfied."""

    groups: tuple[str, ...] = ()
    """One of them."""
    emails: tuple[str, ...] = ()
    """Lower case. One of them, or an address in one of ``email_domains``."""
    email_domains: tuple[str, ...] = ()
    """Lower case; ``.example.com`` stands for everything under ``example.com``."""
    claims: tuple[RequiredClaim, ...] = ()
    """All of them."""
    unverified_email: bool = False
    """Addresses count although the issuer does not say that it has verified them."""


class ClaimHeader(Struct, frozen=True):
    """A request field for the application out of a claim."""

    header: str
    claim: str
    """Name of the claim; dots lead into objects. ``username``, ``groups``, ``access_token`` and ``id_token`` with a
    leading ``@`` are what the outpost made of the tokens."""
    prefix: str = ""
    """Stands before the value, if there is one: ``Bearer ``."""
    separator: str = ","
    """Between the parts of a list."""


class ForeignIssuer(Struct, frozen=True):
    """What is different at an issuer that is not a Doorward (nor an authentik with proxy providers)."""

    username_claims: tuple[str, ...] = ("preferred_username", "email", "sub")
    """The first that is there is the user name."""
    email_claim: str = "email"
    name_claim: str = "name"
    groups_claim: str = "groups"
    admission: Admission = Admission()
    headers: tuple[ClaimHeader, ...] = ()
    authentik_headers: bool = True
    """Send the ``X-authentik-*`` fields."""
    userinfo_endpoint: str = ""
    userinfo: str = "missing"
    """Ask it ``always``, ``never``, or when something that is wanted is ``missing`` in the ID token."""
    redirect_uri: str = ""
    """Instead of our own; its path is answered like our callback."""
    client_authentication: str = "post"
    """How the client shows its secret at the token endpoint: ``post``, ``basic`` or ``none``."""
    answers_with_issuer: bool = False
    """Answers without ``iss`` are refused (RFC 9207 section 2.4)."""
    parameters: tuple[tuple[str, str], ...] = ()
    """More of the authorization request."""
    api_paths: str = ""
    """Regular expressions, one a line: strangers get a 401 there and no redirect."""
    keep_access_token: bool = False
    """The session keeps it; else only what it was needed for is kept."""
    outlives_tokens: bool = False
    """A session without a refresh token does not end with its access token."""
    older_cookie_secrets: tuple[str, ...] = ()
    """Cookies that these have sealed are still good."""
    cookie_id: str = ""
    """What names the cookie, and is sealed with it, instead of the client id: an application's own, also where several
    share a client."""
    rules: str = ""
    """Fingerprint of everything here that decides who enters and as whom: sessions made under others are not good."""


class TrustedIssuer(Struct, frozen=True):
    """Another issuer, of which programs may show tokens that are meant for the application."""

    issuer: str
    audiences: tuple[str, ...]
    """The token must name one of them."""
    says: ForeignIssuer
    """How its claims are read, and who may enter with them."""
    keys: tuple[VerificationKey, ...] = ()


class StepUpRule(Struct, frozen=True, omit_defaults=True):
    """What some paths ask of a login beyond the rest of the application. Each part that says something must hold."""

    path: str
    """A regular expression; see ``config.step_up_rules``."""
    acr: tuple[str, ...] = ()
    """One of these must be the ID token's ``acr``. The issuer is asked for them, the first one first."""
    amr: tuple[str, ...] = ()
    """The same is proved by one of these in ``amr``."""
    max_age: float = 0.0
    """Seconds; the login may not be older. 0: of any age."""
    machines: bool = False
    """Programs that bring their credentials are let pass; they never have a factor."""


class ProxyProvider(Struct, frozen=True):
    """One protected application (or domain) as ``contracts/outpost.md`` section 12.2 describes it."""

    pk: int
    name: str
    outpost: str
    """Name of the outpost that serves it."""
    application_slug: str
    application_name: str
    external_host: str
    """Normalised: scheme, host, port if not the scheme's default, path; no trailing slash, no query."""
    client_id: str
    client_secret: str
    cookie_secret: str
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str
    jwks_uri: str
    keys: tuple[VerificationKey, ...]
    scopes: tuple[str, ...]
    mode: str = "forward_single"
    """proxy, forward_single or forward_domain."""
    cookie_domain: str = ""
    access_token_validity: float = 86400.0
    """Seconds; the longest life of a proxy session."""
    skip_path_regex: str = ""
    intercept_header_auth: bool = True
    basic_auth_enabled: bool = False
    basic_auth_user_attribute: str = ""
    basic_auth_password_attribute: str = ""
    redirect_everything: bool = False
    """Send strangers to log in even when the request is no navigation (fetch, WebSocket, JSON clients)."""
    skip_preflight: bool = False
    """Let a browser's CORS preflight pass without a session, and without a word about anybody (S-224)."""
    keep_posts: bool = False
    """Keep a form that meets an ended session, and offer to send it after the login. Needs a proxy that hands bodies
    to the outpost (``forwardBody``)."""
    refresh_token_validity: float = 0.0
    """Seconds; the longest life of a proxy session whose access token is renewed. 0: none is renewed."""
    idle_limit: float = 0.0
    """Seconds; a session ends when no request came with it for so long (to a minute). 0: no limit."""
    introspection_endpoint: str = ""
    """Where bearer tokens of programs are asked about (RFC 7662); empty where the issuer has none."""
    foreign: ForeignIssuer | None = None
    """None when the issuer is a Doorward, and knows by itself who may enter."""
    trusted: tuple[TrustedIssuer, ...] = ()
    """Whose tokens programs may show beside those of ``issuer``."""
    trusts_other_clients: bool = False
    """Whether the issuer may give this client a token of its own for one that a program got for another client."""
    internal_host: str = ""
    """In mode ``proxy``: scheme, host and port of the application behind, to which this program hands requests on."""
    internal_host_ssl_validation: bool = True
    """Whether the certificate of ``internal_host`` is verified."""
    step_up: tuple[StepUpRule, ...] = ()
    """All that fit a path must be satisfied, and those paths are open to nobody without a login."""
    cookie_prefix: str = ""
    """``host`` or ``secure``: the session cookie's name begins with ``__Host-`` or ``__Secure-``, and browsers keep it
    only as what that says. Empty: neither."""


class OutpostConfiguration(Struct, frozen=True):
    """All proxy providers that the outposts of this program serve."""

    position: int = 0
    """Place in the change log at which this was true."""
    providers: tuple[ProxyProvider, ...] = ()
    version: str = ""
    """For ``X-authentik-meta-version``."""
    additional_headers: tuple[str, ...] = ()
    """Every name that stands in somebody's ``additionalHeaders``: in mode ``proxy`` the application gets these, and
    from nobody but the outpost."""
