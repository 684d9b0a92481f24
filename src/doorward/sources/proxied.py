"""Applications in proxy mode → routes: this program stands before them itself.

The identity provider is a source of routes like the files: each application becomes a router with its outside host, a
``forwardAuth`` that is our own outpost, and a service with its inside host, all called ``<slug>@outpost``. From there
on they are compiled like any others, so entry points' own middlewares and TLS hold for them as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from doorward.config.dynamic import DynamicConfiguration
from doorward.messages.additional_headers import is_free
from doorward.messages.entry_points import EntryPoint
from doorward.messages.outposts import IDENTITY_HEADERS, OutpostConfiguration, ProxyProvider
from doorward.sources.own_addresses import OwnAddresses
from doorward.sources.rules import RuleError, parse_rule

_DEFAULT_PORTS = {"http": 80, "https": 443}
_ADDRESS = "http://localhost/outpost.goauthentik.io/auth/traefik"
"""Never asked over a socket: whatever comes from this source is fused."""


@dataclass(frozen=True, slots=True)
class Proxied:
    configuration: DynamicConfiguration
    notices: tuple[str, ...] = ()
    """Why an application is not reached, one sentence each."""
    hosts: tuple[str, ...] = ()
    """Names of those whose outside URL is https."""


def proxied(configuration: OutpostConfiguration, points: Iterable[EntryPoint], own: OwnAddresses) -> Proxied:
    """Routers, services and middlewares of all applications in proxy mode.

    ``points`` are all entry points: an application at one of their ports on this machine would be ourselves.
    """
    ports = {point.port for point in points}
    http: dict[str, dict[str, Any]] = {"routers": {}, "services": {}, "middlewares": {}, "serversTransports": {}}
    notices = []
    for provider in configuration.providers:
        slug = provider.application_slug
        try:
            rule = _rule(provider.external_host)
            parse_rule(rule)
        except (RuleError, ValueError):
            notices.append(f"the application {slug!r} is not served: {provider.external_host!r} is no usable host")
            continue
        servers = [{"url": provider.internal_host}]
        if _is_ourselves(provider.internal_host, ports, own):
            notices.append(f"the application {slug!r} answers 503: its internal host is this program itself")
            servers = []
        elif not _is_usable(provider.internal_host):
            notices.append(f"the application {slug!r} answers 503: {provider.internal_host!r} is no usable URL")
            servers = []
        http["routers"][slug] = {"rule": rule, "service": slug, "middlewares": [slug]}
        http["middlewares"][slug] = {"forwardAuth": _forward_auth(provider, configuration.additional_headers)}
        balancer: dict[str, Any] = {"servers": servers}
        if provider.internal_host.startswith("https:") and not provider.internal_host_ssl_validation:
            http["serversTransports"][slug] = {"insecureSkipVerify": True}
            balancer["serversTransport"] = slug
        http["services"][slug] = {"loadBalancer": balancer}
    secure = (
        urlsplit(each.external_host) for each in configuration.providers if each.application_slug in http["routers"]
    )
    hosts = dict.fromkeys(parts.hostname or "" for parts in secure if parts.scheme == "https")
    return Proxied(DynamicConfiguration.model_validate({"http": http}), tuple(notices), tuple(hosts))


def _rule(external_host: str) -> str:
    parts = urlsplit(external_host)
    if not parts.hostname or "`" in external_host:
        raise ValueError(external_host)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/")
    return f"Host(`{host}`)" + (f" && (Path(`{path}`) || PathPrefix(`{path}/`))" if path else "")


def _forward_auth(provider: ProxyProvider, additional: Iterable[str]) -> dict[str, Any]:
    names = {name.lower(): name for name in (*IDENTITY_HEADERS, *filter(is_free, additional))}
    if provider.basic_auth_enabled:
        names["authorization"] = "Authorization"
    return {
        "address": _ADDRESS,
        "authResponseHeaders": list(names.values()),
        "headerField": "X-authentik-username",
        "forwardBody": provider.keep_posts,
    }


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_ourselves(url: str, ports: set[int], own: OwnAddresses) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return False
    return port in ports and own.is_this_machine((parts.hostname or "").lower())
