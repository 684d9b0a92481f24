"""The routing table: what the control side sends to every worker, already validated and resolved.

The source is Traefik's dynamic configuration (``contracts/proxy.md`` sections 1, 2, 5, 7, 8). Names are qualified
(``name@provider``), chains are flattened, entry point middlewares are prepended, priorities are computed and the
routers stand in the order in which they are tried. A router that cannot be built stays in the table with
``broken`` set: it keeps its match and answers 503, so that nothing of lower priority can answer for it (S-220).
"""

from __future__ import annotations

from msgspec import Struct

# --- rules -----------------------------------------------------------------------------------------------------


class Host(Struct, frozen=True, tag=True):
    """Host without port equals ``name`` (lower case, no trailing dot), or one label under ``*.name``."""

    name: str


class Path(Struct, frozen=True, tag=True):
    path: str


class PathPrefix(Struct, frozen=True, tag=True):
    """Character-wise prefix of the routing path, as in Traefik."""

    prefix: str


class Method(Struct, frozen=True, tag=True):
    method: str


class Not(Struct, frozen=True, tag=True):
    rule: Rule


class All(Struct, frozen=True, tag=True):
    rules: tuple[Rule, ...]


class Any(Struct, frozen=True, tag=True):
    rules: tuple[Rule, ...]


Rule = Host | Path | PathPrefix | Method | Not | All | Any

# --- middlewares -----------------------------------------------------------------------------------------------


class ClientTls(Struct, frozen=True):
    """TLS towards a server that we call. Empty strings mean: the system's authorities, no client certificate."""

    ca_pem: str = ""
    cert_pem: str = ""
    key_pem: str = ""
    insecure_skip_verify: bool = False


class ForwardAuth(Struct, frozen=True, tag=True):
    """``contracts/proxy.md`` section 5. ``trust_forward_header`` has three states; None behaves as False (S-718)."""

    name: str
    address: str
    trust_forward_header: bool | None = None
    auth_response_headers: tuple[str, ...] = ()
    auth_response_headers_regex: str = ""
    auth_request_headers: tuple[str, ...] = ()
    add_auth_cookies_to_response: tuple[str, ...] = ()
    tls: ClientTls | None = None
    header_field: str = ""
    forward_body: bool = False
    max_body_size: int = 1 << 20
    """Bytes. Traefik's -1 (no limit) is refused at load."""
    preserve_location_header: bool = False
    preserve_request_method: bool = False
    max_response_body_size: int = 1 << 20
    auth_signin_url: str = ""
    fused: bool = False
    """The address is the embedded outpost of this very program: ask it by a call."""


class RedirectScheme(Struct, frozen=True, tag=True):
    name: str
    scheme: str
    port: str = ""
    permanent: bool = False


class StripPrefix(Struct, frozen=True, tag=True):
    name: str
    prefixes: tuple[str, ...]


class Headers(Struct, frozen=True, tag=True):
    """``contracts/proxy.md`` section 7.1."""

    name: str
    custom_request_headers: tuple[tuple[str, str], ...] = ()
    custom_response_headers: tuple[tuple[str, str], ...] = ()
    access_control_allow_origin_list: tuple[str, ...] = ()
    access_control_allow_origin_list_regex: tuple[str, ...] = ()
    access_control_allow_methods: tuple[str, ...] = ()
    access_control_allow_headers: tuple[str, ...] = ()
    access_control_expose_headers: tuple[str, ...] = ()
    access_control_allow_credentials: bool = False
    access_control_max_age: int = 0
    add_vary_header: bool = False
    allowed_hosts: tuple[str, ...] = ()
    hosts_proxy_headers: tuple[str, ...] = ()
    ssl_proxy_headers: tuple[tuple[str, str], ...] = ()
    sts_seconds: int = 0
    sts_include_subdomains: bool = False
    sts_preload: bool = False
    force_sts_header: bool = False
    frame_deny: bool = False
    custom_frame_options_value: str = ""
    content_type_nosniff: bool = False
    browser_xss_filter: bool = False
    custom_browser_xss_value: str = ""
    content_security_policy: str = ""
    content_security_policy_report_only: str = ""
    referrer_policy: str = ""
    permissions_policy: str = ""
    public_key: str = ""
    is_development: bool = False


Middleware = ForwardAuth | RedirectScheme | StripPrefix | Headers

# --- services --------------------------------------------------------------------------------------------------


class Server(Struct, frozen=True):
    """``http://host:port``, ``https://host:port`` or ``unix:/path/to/socket``."""

    url: str
    weight: int = 1
    preserve_path: bool = False


class LoadBalancer(Struct, frozen=True, tag=True):
    name: str
    servers: tuple[Server, ...]
    pass_host_header: bool = True
    tls: ClientTls | None = None
    dial_timeout: float = 30.0
    """Seconds."""
    response_header_timeout: float = 0.0
    """Seconds; 0 waits for ever (long polls)."""
    idle_conn_timeout: float = 90.0
    max_idle_conns_per_host: int = 200


class Internal(Struct, frozen=True, tag=True):
    """A service that lives in the worker: ``outpost@internal``, ``ping@internal``, ``prometheus@internal`` …"""

    name: str


Service = LoadBalancer | Internal

# --- the table -------------------------------------------------------------------------------------------------


class Router(Struct, frozen=True):
    name: str
    entry_points: tuple[str, ...]
    rule: Rule
    rule_text: str
    priority: int
    middlewares: tuple[Middleware, ...]
    """In the order in which they see the request."""
    service: str
    tls: bool = False
    broken: str = ""
    """Why it cannot serve; then ``middlewares`` and ``service`` are not used."""


class Certificate(Struct, frozen=True):
    """PEM text; the chain starts with the leaf."""

    chain_pem: str
    key_pem: str


class RoutingTable(Struct, frozen=True):
    version: int = 0
    routers: tuple[Router, ...] = ()
    """By falling priority; the first that matches answers."""
    services: dict[str, Service] = {}
    certificates: tuple[Certificate, ...] = ()
    default_certificate: Certificate | None = None
