"""What Doorward adds to every configuration by itself: the objects of the provider ``internal``
(``contracts/proxy.md`` section 1.6).

They are on the entry points that the static configuration names and nowhere else (S-232). A router of a file may
name the services.
"""

from __future__ import annotations

from pathlib import Path

from doorward.config.entry_point import MAX_PRIORITY
from doorward.config.static import TRAEFIK_ENTRY_POINT, StaticConfiguration
from doorward.messages.entry_points import EntryPoint
from doorward.messages.routing import Internal, LoadBalancer, PathPrefix, Router, Server, Service

OUTPOST = "outpost@internal"
IDENTITY = "identity@internal"
HEALTH = "health@internal"
PING = "ping@internal"
PROMETHEUS = "prometheus@internal"
NOOP = "noop@internal"
API = "api@internal"

OUTPOST_PREFIX = "/outpost.goauthentik.io/"
HEALTH_PREFIX = "/-/health/"


def internal_services(static: StaticConfiguration, socket: Path | None = None) -> dict[str, Service]:
    """Every internal service, whether a router of ours uses it or not.

    ``socket`` is where the identity child serves its public pages; ``run/identity.sock`` in its folder by default.
    """
    services: dict[str, Service] = {name: Internal(name) for name in (OUTPOST, HEALTH, PING, PROMETHEUS, NOOP)}
    if static.api is not None:
        services[API] = Internal(API)
    if static.identity is not None:
        services[IDENTITY] = LoadBalancer(
            name=IDENTITY,
            servers=(Server(f"unix:{socket or Path(static.identity.data).absolute() / 'run' / 'identity.sock'}"),),
        )
    return services


def internal_routers(static: StaticConfiguration, entry_points: tuple[EntryPoint, ...]) -> list[Router]:
    """The routers that serve the internal services."""
    at = {entry_point.name: entry_point for entry_point in entry_points}
    routers = []
    if static.identity is not None:
        name = static.identity.entry_point
        routers += [
            _router(HEALTH, at[name], HEALTH_PREFIX, MAX_PRIORITY),
            _router(OUTPOST, at[name], OUTPOST_PREFIX, MAX_PRIORITY - 1),
            _router(IDENTITY, at[name], "/", 1),
        ]
    if static.ping is not None and not static.ping.manual_routing:
        name = static.ping.entry_point
        routers.append(_router(PING, at[name], "/ping", MAX_PRIORITY))
    prometheus = static.metrics.prometheus if static.metrics is not None else None
    if prometheus is not None and not prometheus.manual_routing:
        name = prometheus.entry_point
        routers.append(_router(PROMETHEUS, at[name], "/metrics", MAX_PRIORITY))
    if static.api is not None and static.api.insecure:
        prefix = static.api.base_path.rstrip("/") + "/api"
        routers.append(_router(API, at[TRAEFIK_ENTRY_POINT], prefix, MAX_PRIORITY - 1))
    return routers


def _router(name: str, entry_point: EntryPoint, prefix: str, priority: int) -> Router:
    return Router(
        name=name,
        entry_points=(entry_point.name,),
        rule=PathPrefix(prefix),
        rule_text=f"PathPrefix(`{prefix}`)",
        priority=priority,
        middlewares=(),
        service=name,
        tls=entry_point.tls,
        tls_options=entry_point.tls_options if entry_point.tls else "",
    )
