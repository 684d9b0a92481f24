"""From the static configuration to what the workers are told: entry points, access log, metrics."""

from __future__ import annotations

from doorward.config.entry_point import EntryPoint, parse_address
from doorward.config.services import status_ranges
from doorward.config.static import TRAEFIK_ENTRY_POINT, AccessLog, StaticConfiguration
from doorward.messages import entry_points as messages
from doorward.messages.plan import FilesPlan, RoutesPlan
from doorward.messages.routing import DEFAULT_TLS_OPTIONS

IDENTITY_TRUSTS = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fe80::/10",
    "::1/128",
)
"""Who may speak for a client at the identity entry point unless the configuration says it: an outpost is asked by
the proxy beside it, and these are authentik's defaults (S-129)."""

_LONGEST_READ = 10.0
_DEFAULT_WRITE = 60.0


def entry_points(static: StaticConfiguration) -> tuple[messages.EntryPoint, ...]:
    """Every entry point to listen on, the ones that nobody defined and something needs included."""
    written = dict(static.entry_points)
    if not written:
        written["http"] = EntryPoint(address=":80")
    identity = static.identity.entry_point if static.identity is not None else None
    if identity is not None and identity not in written:
        written[identity] = EntryPoint(address=":9000")
    if TRAEFIK_ENTRY_POINT in _internal_uses(static) and TRAEFIK_ENTRY_POINT not in written:
        written[TRAEFIK_ENTRY_POINT] = EntryPoint(address=":8080")
    append = not static.global_.not_append_x_forwarded_for
    return tuple(_entry_point(name, point, name == identity, append) for name, point in written.items())


def default_entry_points(static: StaticConfiguration) -> tuple[str, ...]:
    """Names of the entry points of a router that names none."""
    chosen = tuple(name for name, point in static.entry_points.items() if point.as_default)
    if chosen:
        return chosen
    internal = {TRAEFIK_ENTRY_POINT}
    if static.identity is not None:
        internal.add(static.identity.entry_point)
    return tuple(point.name for point in entry_points(static) if point.name not in internal)


def access_log(static: StaticConfiguration) -> messages.AccessLog | None:
    """None when no access log is wanted."""
    return None if static.access_log is None else access_log_of(static.access_log)


def access_log_of(log: AccessLog) -> messages.AccessLog:
    """What the data plane is told about ``log``."""
    return messages.AccessLog(
        file_path=log.file_path,
        format=log.format,
        buffering_size=log.buffering_size,
        add_internals=log.add_internals,
        status_codes=status_ranges(log.filters.status_codes),
        retry_attempts=log.filters.retry_attempts,
        min_duration=log.filters.min_duration,
        field_default=log.fields.default_mode,
        field_modes=tuple(log.fields.names.items()),
        header_default=log.fields.headers.default_mode,
        header_modes=tuple(log.fields.headers.names.items()),
        query_default=log.fields.query_parameters.default_mode,
    )


def metrics(static: StaticConfiguration) -> messages.Metrics:
    """With an empty entry point when no metrics are wanted."""
    if static.metrics is None or static.metrics.prometheus is None:
        return messages.Metrics()
    prometheus = static.metrics.prometheus
    return messages.Metrics(
        entry_point=prometheus.entry_point,
        add_entry_points_labels=prometheus.add_entry_points_labels,
        add_routers_labels=prometheus.add_routers_labels,
        add_services_labels=prometheus.add_services_labels,
        buckets=prometheus.buckets,
        add_internals=static.metrics.add_internals,
    )


def grace(static: StaticConfiguration) -> float:
    """Seconds that a stop takes at most, the time included in which connections are still accepted: the longest of
    all entry points."""
    cycles = [point.transport.life_cycle for point in static.entry_points.values()]
    return max((cycle.request_accept_grace_timeout + cycle.grace_time_out for cycle in cycles), default=10.0)


def routes_plan(static: StaticConfiguration, text: str = "") -> RoutesPlan:
    """What the process that follows the routes is told; ``text``: what ``static`` was read from."""
    file, probe = static.providers.file, static.identity.probe if static.identity is not None else None
    return RoutesPlan(
        configuration=text,
        files=FilesPlan(file.filename, file.directory, file.watch) if file is not None else None,
        throttle=static.providers.providers_throttle_duration,
        probe_interval=probe.interval if probe is not None else 0.0,
    )


def _internal_uses(static: StaticConfiguration) -> set[str]:
    used = set()
    if static.ping is not None:
        used.add(static.ping.entry_point)
    if static.metrics is not None and static.metrics.prometheus is not None:
        used.add(static.metrics.prometheus.entry_point)
    if static.api is not None and static.api.insecure:
        used.add(TRAEFIK_ENTRY_POINT)
    return used


def _entry_point(name: str, point: EntryPoint, is_identity: bool, append: bool) -> messages.EntryPoint:
    host, port = parse_address(point.address)
    timeouts = point.transport.responding_timeouts
    headers, proxy = point.forwarded_headers, point.proxy_protocol
    trusted = headers.trusted_ips
    if trusted is None:
        trusted = IDENTITY_TRUSTS if is_identity else ()
    return messages.EntryPoint(
        name=name,
        host=host,
        port=port,
        tls=point.http.tls is not None,
        trusted_ips=trusted,
        insecure=headers.insecure,
        read_header_timeout=min(timeouts.read_timeout or _LONGEST_READ, _LONGEST_READ),
        idle_timeout=timeouts.idle_timeout or 180.0,
        write_timeout=timeouts.write_timeout or _DEFAULT_WRITE,
        max_header_bytes=point.http.max_header_bytes,
        alias_headers=point.http.alias_headers_strategy or point.http.underscore_headers_strategy or "delete",
        tls_options=tls_set(point),
        proxy_protocol_ips=proxy.trusted_ips if proxy is not None else (),
        proxy_protocol_insecure=proxy is not None and proxy.insecure,
        listed_fields_kept=tuple(field.lower() for field in headers.connection),
        append_forwarded_for=append and not headers.not_append_x_forwarded_for,
        request_timeout=timeouts.read_timeout or 0.0,
        keep_alive_max_requests=point.transport.keep_alive_max_requests,
        keep_alive_max_time=point.transport.keep_alive_max_time,
        trusted_by_default=is_identity and headers.trusted_ips is None and not headers.insecure,
        accept_grace=point.transport.life_cycle.request_accept_grace_timeout,
        grace=point.transport.life_cycle.grace_time_out,
    )


def tls_set(point: EntryPoint) -> str:
    """Qualified name of the set of TLS options that holds at an entry point unless a router says otherwise."""
    name = point.http.tls.options if point.http.tls is not None else ""
    return name if "@" in name else f"{name}@file" if name not in ("", DEFAULT_TLS_OPTIONS) else DEFAULT_TLS_OPTIONS
