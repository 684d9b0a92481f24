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


class AccessLog(Struct, frozen=True):
    """``contracts/proxy.md`` section 13.2."""

    file_path: str = ""
    format: str = "common"
    """common, genericCLF or json."""


class Metrics(Struct, frozen=True):
    """``contracts/proxy.md`` section 13.1."""

    entry_point: str = ""
    """Entry point that serves ``/metrics``; empty switches the metrics off."""
    add_entry_points_labels: bool = True
    add_routers_labels: bool = False
    add_services_labels: bool = True
    buckets: tuple[float, ...] = (0.1, 0.3, 1.2, 5.0)
