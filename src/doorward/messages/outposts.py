"""What the outpost must know of the identity provider's configuration, pushed to it and kept in memory."""

from __future__ import annotations

from msgspec import Struct


class VerificationKey(Struct, frozen=True):
    """A public key of the issuer."""

    kid: str
    alg: str
    """The only algorithm for which this key is used (RFC 8725 section 3.1)."""
    jwk: str
    """The public JWK, as JSON text."""


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
    """Seconds; a session is not renewed when its access token ended longer ago than this. 0: no limit."""
    introspection_endpoint: str = ""
    """Where bearer tokens of programs are asked about (RFC 7662); empty where the issuer has none."""


class OutpostConfiguration(Struct, frozen=True):
    """All proxy providers that the outposts of this program serve."""

    position: int = 0
    """Place in the change log at which this was true."""
    providers: tuple[ProxyProvider, ...] = ()
    version: str = ""
    """For ``X-authentik-meta-version``."""
