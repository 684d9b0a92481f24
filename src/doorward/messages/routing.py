"""The routing table: what the control side sends to every worker, already validated and resolved.

The source is Traefik's dynamic configuration (``contracts/proxy.md`` sections 1, 2, 5, 7, 8). Names are qualified
(``name@provider``), chains are flattened, entry point middlewares are prepended, priorities are computed and the
routers stand in the order in which they are tried. A router that cannot be built stays in the table with
``broken`` set: it keeps its match and answers 503, so that nothing of lower priority can answer for it (S-220).
"""

from __future__ import annotations

from msgspec import Struct

# --- rules -----------------------------------------------------------------------------------------------------


class Host(Struct, frozen=True, gc=False, tag=True):
    """Host without port equals ``name`` (lower case, no trailing dot), or one label under ``*.name``."""

    name: str


class Path(Struct, frozen=True, gc=False, tag=True):
    path: str


class PathPrefix(Struct, frozen=True, gc=False, tag=True):
    """Character-wise prefix of the routing path, as in Traefik."""

    prefix: str


class Method(Struct, frozen=True, gc=False, tag=True):
    method: str


class Not(Struct, frozen=True, gc=False, tag=True):
    rule: Rule


class All(Struct, frozen=True, gc=False, tag=True):
    rules: tuple[Rule, ...]


class Any(Struct, frozen=True, gc=False, tag=True):
    rules: tuple[Rule, ...]


Rule = Host | Path | PathPrefix | Method | Not | All | Any

# --- middlewares -----------------------------------------------------------------------------------------------


class ClientTls(Struct, frozen=True, gc=False):
    """TLS towards a server that we call. Empty strings mean: the system's authorities, no client certificate."""

    ca_pem: str = ""
    cert_pem: str = ""
    key_pem: str = ""
    insecure_skip_verify: bool = False
    server_name: str = ""
    """The name to ask for and to find in the certificate; empty: the host of the address."""
    peer_uri: str = ""
    """Identity that must stand in the certificate as a URI, instead of a name."""
    min_version: str = ""
    """``TLSv1_2`` or ``TLSv1_3``; empty: TLS 1.2."""
    max_version: str = ""
    ciphers: str = ""
    """OpenSSL's list for TLS 1.2; empty: the library's choice."""


class ForwardAuth(Struct, frozen=True, gc=False, tag=True):
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
    recheck_interval: float = 30.0
    """Seconds after which whatever stays open is judged again, where the auth server is asked over HTTP; 0: never."""
    fused: bool = False
    """The address is the embedded outpost of this very program: ask it by a call."""


class RedirectScheme(Struct, frozen=True, gc=False, tag=True):
    name: str
    scheme: str
    port: str = ""
    permanent: bool = False


class StripPrefix(Struct, frozen=True, gc=False, tag=True):
    name: str
    prefixes: tuple[str, ...]


class Headers(Struct, frozen=True, gc=False, tag=True):
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


class CertificateFields(Struct, frozen=True, gc=False):
    """Which parts of a name in a client certificate are passed on."""

    country: bool = False
    province: bool = False
    locality: bool = False
    organization: bool = False
    organizational_unit: bool = False
    common_name: bool = False
    serial_number: bool = False
    domain_component: bool = False


class CertificateInfo(Struct, frozen=True, gc=False):
    """What ``X-Forwarded-Tls-Client-Cert-Info`` holds."""

    not_after: bool = False
    not_before: bool = False
    sans: bool = False
    serial_number: bool = False
    subject: CertificateFields | None = None
    issuer: CertificateFields | None = None


class PassTlsClientCert(Struct, frozen=True, gc=False, tag=True):
    """``contracts/proxy.md`` section 7."""

    name: str
    pem: bool = False
    info: CertificateInfo | None = None


class EncodedCharacters(Struct, frozen=True, gc=False, tag=True):
    """Paths with one of these escapes (``%2F`` …) are answered 400."""

    name: str
    denied: tuple[str, ...]


Middleware = ForwardAuth | RedirectScheme | StripPrefix | Headers | PassTlsClientCert | EncodedCharacters

# --- services --------------------------------------------------------------------------------------------------


class Server(Struct, frozen=True, gc=False):
    """``http://host:port``, ``https://host:port``, ``h2c://host:port`` or ``unix:/path/to/socket``."""

    url: str
    weight: int = 1
    preserve_path: bool = False


class StickyCookie(Struct, frozen=True, gc=False):
    """Keeps a client with the server, or the child service, that it met first."""

    name: str
    secure: bool = False
    http_only: bool = False
    same_site: str = ""
    """``Lax``, ``Strict``, ``None`` or empty: not said."""
    max_age: int = 0
    """Seconds; 0: until the browser closes; negative: deleted at once."""
    path: str = "/"
    domain: str = ""


class HealthCheck(Struct, frozen=True, gc=False):
    """Asked by the control process alone; the workers are told what it found."""

    target: str = "/"
    """Path and query: always below the server's own origin (S-651)."""
    scheme: str = ""
    """Empty: the server's."""
    port: int = 0
    """0: the server's."""
    method: str = "GET"
    status: int = 0
    """The one status that is healthy; 0: 200 to 399."""
    interval: float = 30.0
    """Seconds."""
    unhealthy_interval: float = 30.0
    timeout: float = 5.0
    hostname: str = ""
    """For the Host field; empty: the server's."""
    headers: tuple[tuple[str, str], ...] = ()
    follow_redirects: bool = True
    """Within the server's origin."""
    grpc: bool = False
    """Ask by gRPC's own health protocol; ``target``, ``method`` and ``status`` mean nothing then."""


class PassiveHealthCheck(Struct, frozen=True, gc=False):
    """``max_failed_attempts`` failures within ``failure_window`` seconds, in all workers together, take a server out
    for as long."""

    failure_window: float = 10.0
    max_failed_attempts: int = 1


class LoadBalancer(Struct, frozen=True, gc=False, tag=True):
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
    http2: bool = True
    """Servers may choose HTTP/2 in the TLS handshake."""
    read_idle_timeout: float = 0.0
    """Seconds without a word on a busy HTTP/2 connection until the server is asked for a sign of life; 0: never."""
    ping_timeout: float = 15.0
    """Seconds that it has to give one."""
    strategy: str = "wrr"
    """``wrr``, ``p2c``, ``hrw`` or ``leasttime``."""
    sticky: StickyCookie | None = None
    health_check: HealthCheck | None = None
    passive_health_check: PassiveHealthCheck | None = None


class Child(Struct, frozen=True, gc=False):
    """A service as part of another one."""

    service: str
    """Qualified name."""
    weight: int = 1
    written: str = ""
    """The name as the operator wrote it: the sticky cookie's value is made of it."""


class Weighted(Struct, frozen=True, gc=False, tag=True):
    name: str
    services: tuple[Child, ...]
    sticky: StickyCookie | None = None
    health_check: bool = False
    """Pass over children that have no healthy server."""


class HighestRandomWeight(Struct, frozen=True, gc=False, tag=True):
    """The client's address decides which child answers it, always the same while the children are."""

    name: str
    services: tuple[Child, ...]
    health_check: bool = False


class Mirror(Struct, frozen=True, gc=False):
    service: str
    percent: int


class Mirroring(Struct, frozen=True, gc=False, tag=True):
    name: str
    service: str
    mirrors: tuple[Mirror, ...]
    mirror_body: bool = True
    max_body_size: int = 1 << 20
    """Bytes; requests with a longer body are not mirrored."""
    health_check: bool = False


class Failover(Struct, frozen=True, gc=False, tag=True):
    name: str
    service: str
    fallback: str
    statuses: tuple[tuple[int, int], ...] = ()
    """Ranges of statuses of ``service`` that send a request on to ``fallback``; none: only its health does."""
    max_request_body: int = 1 << 20
    """Bytes that are kept to be sent a second time; more is answered 413. Only with ``statuses``."""
    health_check: bool = False


class Internal(Struct, frozen=True, gc=False, tag=True):
    """A service that lives in the worker: ``outpost@internal``, ``ping@internal``, ``prometheus@internal`` …"""

    name: str


Service = LoadBalancer | Weighted | HighestRandomWeight | Mirroring | Failover | Internal

# --- the table -------------------------------------------------------------------------------------------------


class Router(Struct, frozen=True, gc=False):
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
    tls_options: str = ""
    """Name of the set with which the handshake must have been made, or the answer is 421 (S-047). Empty: the one that
    holds for the host that is asked for."""


class Certificate(Struct, frozen=True, gc=False):
    """PEM text; the chain starts with the leaf."""

    chain_pem: str
    key_pem: str


class TlsOptions(Struct, frozen=True, gc=False):
    """How a handshake is made (``contracts/proxy.md`` section 10.2)."""

    min_version: str = "TLSv1_2"
    max_version: str = "TLSv1_3"
    ciphers: str = ""
    """OpenSSL's list for TLS 1.2; empty: the library's choice."""
    groups: tuple[str, ...] = ()
    """Key exchange groups by OpenSSL's names, in the order in which they are preferred; none: the library's choice."""
    client_certificate: str = "none"
    """``none``, ``optional`` or ``required``; one that is given must be signed by ``client_ca_pem``."""
    client_ca_pem: str = ""
    sni_strict: bool = False
    """Refuse names that no certificate holds."""
    protocols: tuple[str, ...] = ()
    """ALPN; none: everything that is spoken here."""
    session_tickets: bool = True
    broken: str = ""
    """Why no handshake can be made with it: then every one is refused."""


class TlsName(Struct, frozen=True, gc=False):
    """At ``entry_point``, handshakes for ``name`` (a host, ``*.`` and a host, or empty: every other) use the set
    ``options``."""

    entry_point: str
    name: str
    options: str


DEFAULT_TLS_OPTIONS = "default"
"""Name of the set for everything that names no other; its defaults hold when nobody wrote it down."""


class RoutingTable(Struct, frozen=True):
    version: int = 0
    routers: tuple[Router, ...] = ()
    """By falling priority; the first that matches answers."""
    services: dict[str, Service] = {}
    certificates: tuple[Certificate, ...] = ()
    default_certificate: Certificate | None = None
    tls_options: dict[str, TlsOptions] = {}
    tls_names: tuple[TlsName, ...] = ()
    """Where another set holds than ``default``."""
