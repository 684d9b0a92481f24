"""Applications in proxy mode at an outpost elsewhere: it stands before them itself, as the configuration says now.

The routes are made of the same parts as those of the whole program (``sources.proxied``), without its compiler: this
process knows nothing of configuration files.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from doorward.messages import routing
from doorward.messages.additional_headers import is_free
from doorward.messages.entry_points import EntryPoint
from doorward.messages.outposts import IDENTITY_HEADERS, OutpostConfiguration, ProxyProvider

_ADDRESS = "http://outpost.internal/outpost.goauthentik.io/auth/traefik"
"""Never asked over a socket."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def with_proxied(
    table: routing.RoutingTable, configuration: OutpostConfiguration, point: EntryPoint
) -> routing.RoutingTable:
    """``table``, the outpost's own routes, and those of every application in proxy mode, at ``point``."""
    routers: list[routing.Router] = []
    services: dict[str, routing.Service] = dict(table.services)
    for provider in configuration.providers:
        if provider.mode != "proxy":
            continue
        name = f"{provider.application_slug}@outpost"
        why = _unusable(provider, point)
        if not why:
            services[name] = _service(name, provider)
        routers.append(_router(name, provider, configuration.additional_headers, point, why))
    routers.sort(key=lambda router: -router.priority)
    return msgspec.structs.replace(
        table, version=table.version + 1, routers=(*routers, *table.routers), services=services
    )


def _router(
    name: str, provider: ProxyProvider, additional: Iterable[str], point: EntryPoint, broken: str
) -> routing.Router:
    parts = urlsplit(provider.external_host)
    path = parts.path.rstrip("/")
    rule: routing.Rule = routing.Host((parts.hostname or "").lower())
    if path:
        rule = routing.All((rule, routing.Any((routing.Path(path), routing.PathPrefix(f"{path}/")))))
    return routing.Router(
        name=name,
        entry_points=(point.name,),
        rule=rule,
        rule_text=provider.external_host,
        priority=1000 + len(provider.external_host),
        middlewares=(_guard(name, provider, additional),),
        service=name,
        tls=point.tls,
        broken=broken,
    )


def _guard(name: str, provider: ProxyProvider, additional: Iterable[str]) -> routing.ForwardAuth:
    names = {each.lower(): each for each in (*IDENTITY_HEADERS, *filter(is_free, additional))}
    if provider.basic_auth_enabled:
        names["authorization"] = "Authorization"
    return routing.ForwardAuth(
        name=name,
        address=_ADDRESS,
        trust_forward_header=True,
        auth_response_headers=tuple(names.values()),
        header_field="X-authentik-username",
        forward_body=provider.keep_posts,
        preserve_location_header=True,
        fused=True,
    )


def _service(name: str, provider: ProxyProvider) -> routing.LoadBalancer:
    tls = None if provider.internal_host_ssl_validation else routing.ClientTls(insecure_skip_verify=True)
    return routing.LoadBalancer(name=name, servers=(routing.Server(provider.internal_host),), tls=tls)


def _unusable(provider: ProxyProvider, point: EntryPoint) -> str:
    """Why requests cannot be handed on; empty when they can."""
    try:
        parts = urlsplit(provider.internal_host)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        port = 0
    if not port or not parts.hostname:
        return f"the internal host {provider.internal_host!r} is no usable URL"
    if port == point.port and parts.hostname in _LOOPBACK:
        return "its internal host is this outpost itself"
    return ""
