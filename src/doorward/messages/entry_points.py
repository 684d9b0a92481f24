"""Entry points as the workers need them: addresses, trust, limits. Read once at start."""

from __future__ import annotations

from msgspec import Struct


class EntryPoint(Struct, frozen=True):
    """``contracts/proxy.md`` section 1.2, with the limits of ``contracts/security.md`` section 3."""

    name: str
    host: str
    """Address to bind; empty means all."""
    port: int
    tls: bool = False
    """Every router of this entry point is a TLS router unless it says otherwise."""
    trusted_ips: tuple[str, ...] = ()
    """Peers whose ``X-Forwarded-*`` are kept."""
    insecure: bool = False
    """Trust the forwarding headers of anybody."""
    read_header_timeout: float = 10.0
    idle_timeout: float = 180.0
    write_timeout: float = 60.0
    max_header_bytes: int = 65536
    alias_headers: str = "delete"
    """What happens to a field name with a character outside letters, digits and ``-``: delete, reject or keep."""
    tls_options: str = "default"
    """Set of TLS options for names of which no router speaks. The routing table says it again: workers look there."""
    proxy_protocol_ips: tuple[str, ...] = ()
    """Peers that may begin a connection with a PROXY header."""
    proxy_protocol_insecure: bool = False
    """Everybody may."""
    listed_fields_kept: tuple[str, ...] = ()
    """Lower-case names that ``Connection`` may list without taking them away from the middlewares."""
    append_forwarded_for: bool = True
    """``X-Forwarded-For`` ends with the peer."""
    request_timeout: float = 0.0
    """Seconds in which a whole request must have arrived, body included; 0: no limit but the least speed."""
    keep_alive_max_requests: int = 0
    """After so many a connection is closed; 0: never for that reason."""
    keep_alive_max_time: float = 0.0
    """Seconds, likewise."""
    accept_grace: float = 0.0
    """Seconds after the order to stop in which connections are still accepted."""
    trusted_by_default: bool = False
    """``trusted_ips`` are the default of the identity entry point: nobody wrote them (S-129)."""
    grace: float = 10.0
    """Seconds that what is under way gets after that."""


class AccessLog(Struct, frozen=True):
    """``contracts/proxy.md`` section 13.2."""

    file_path: str = ""
    format: str = "common"
    """common, genericCLF or json."""
    buffering_size: int = 0
    """Lines after which a batch is written at the latest; 0: by size and time alone."""
    add_internals: bool = False
    """Requests to ``ping@internal`` and its like as well."""
    status_codes: tuple[tuple[int, int], ...] = ()
    """First and last of each range. With any filter, only what fits one of them is written."""
    retry_attempts: bool = False
    min_duration: float = 0.0
    """Seconds."""
    field_default: str = "keep"
    """keep or drop."""
    field_modes: tuple[tuple[str, str], ...] = ()
    header_default: str = "drop"
    """keep, drop or redact."""
    header_modes: tuple[tuple[str, str], ...] = ()
    query_default: str = "keep"
    """keep or drop."""


class Metrics(Struct, frozen=True):
    """``contracts/proxy.md`` section 13.1."""

    entry_point: str = ""
    """Entry point that serves ``/metrics``; empty switches the metrics off."""
    add_entry_points_labels: bool = True
    add_routers_labels: bool = False
    add_services_labels: bool = True
    buckets: tuple[float, ...] = (0.1, 0.3, 1.2, 5.0)
    add_internals: bool = False
    """Requests to ``ping@internal`` and its like as well."""
