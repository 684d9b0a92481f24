"""What works and should not stay so: settings that open more than their author may have meant (``config.warning``)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from doorward.config.dynamic import DynamicConfiguration
from doorward.config.middlewares import Headers
from doorward.config.static import StaticConfiguration
from doorward.messages.entry_points import EntryPoint
from doorward.messages.routing import All, Any, ForwardAuth, Path, PathPrefix, Router, Rule
from doorward.sources.redirections import hosts_of


def static_warnings(static: StaticConfiguration, entry_points: Sequence[EntryPoint]) -> Iterator[str]:
    """Trust in everybody (S-129) and TLS without verification (S-719)."""
    for entry_point in entry_points:
        place = f"entryPoints.{entry_point.name}.forwardedHeaders"
        if entry_point.insecure:
            yield f"{place}.insecure: anybody can pretend any address, host and scheme; list trustedIPs instead"
        yield from _everybody(entry_point.trusted_ips, place)
        place = f"entryPoints.{entry_point.name}.proxyProtocol"
        if entry_point.proxy_protocol_insecure:
            yield f"{place}.insecure: anybody can pretend any address; list trustedIPs instead"
        yield from _everybody(entry_point.proxy_protocol_ips, place)
    if static.api is not None and static.api.insecure:
        yield "api.insecure: whoever reaches the entry point traefik reads every host, server and middleware"
    if static.servers_transport.insecure_skip_verify:
        yield "serversTransport.insecureSkipVerify: every server is believed to be who it says"


def _everybody(networks: Sequence[str], place: str) -> Iterator[str]:
    for network in networks:
        if network != "unix" and ipaddress.ip_network(network, strict=False).prefixlen == 0:
            yield f"{place}.trustedIPs: {network} is everybody; list the proxies in front of us instead"


def dynamic_warnings(providers: Mapping[str, DynamicConfiguration], routers: Sequence[Router]) -> Iterator[str]:
    """TLS without verification (S-719), credentials for every origin, and unprotected twins of routers (S-221)."""
    for provider, configuration in providers.items():
        for name, transport in configuration.http.servers_transports.items():
            if transport.insecure_skip_verify:
                yield f"the serversTransport {name}@{provider} believes every server (insecureSkipVerify)"
        for name, middleware in configuration.http.middlewares.items():
            auth, headers = middleware.forward_auth, middleware.headers
            if auth is not None and auth.tls is not None and auth.tls.insecure_skip_verify:
                yield f"the middleware {name}@{provider} believes every auth server (insecureSkipVerify)"
            if headers is not None and _lets_everybody_read(headers):
                yield f"the middleware {name}@{provider} lets every website read with the user's credentials"
    yield from _unprotected_twins(routers)


def _lets_everybody_read(headers: Headers) -> bool:
    return headers.access_control_allow_credentials and "*" in headers.access_control_allow_origin_list


def _unprotected_twins(routers: Sequence[Router]) -> Iterator[str]:
    """Same entry point, host and path, once with authentication and once without."""
    groups: dict[tuple[str, bool, str, frozenset[str]], list[Router]] = {}
    for router in routers:
        if router.broken:
            continue
        for entry_point in router.entry_points:
            for host in sorted(hosts_of(router.rule) or {""}):
                groups.setdefault((entry_point, router.tls, host, _paths(router.rule)), []).append(router)
    said = set()
    for (_, _, host, _), group in groups.items():
        protected = [router.name for router in group if _is_protected(router)]
        open_ones = [router.name for router in group if not _is_protected(router)]
        if protected and open_ones and (protected[0], open_ones[0]) not in said:
            said.add((protected[0], open_ones[0]))
            routers_named = f"{protected[0]} (with authentication) and {open_ones[0]} (without)"
            yield f"the routers {routers_named} both answer for {host or 'any host'} with the same path"


def _is_protected(router: Router) -> bool:
    return any(isinstance(middleware, ForwardAuth) for middleware in router.middlewares)


def _paths(rule: Rule) -> frozenset[str]:
    match rule:
        case Path(path):
            return frozenset((path,))
        case PathPrefix(prefix):
            return frozenset() if prefix == "/" else frozenset((prefix + "*",))
        case All(rules) | Any(rules):
            return frozenset[str]().union(*map(_paths, rules))
    return frozenset()
