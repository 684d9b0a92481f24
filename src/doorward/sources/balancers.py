"""One service as written → the same as run: a load balancer, or a service that consists of others."""

from __future__ import annotations

import hashlib
from typing import Protocol

from doorward.config import services as written
from doorward.config.health_checks import HealthCheck, PassiveHealthCheck
from doorward.config.sticky import Sticky
from doorward.messages import routing as messages
from doorward.sources.transports import Transport


class Parts(Protocol):
    """Finds what a service consists of."""

    def __call__(self, name: str, health: bool) -> str:
        """The qualified name of the part ``name``, of whose ``health`` something must be known. Raises Broken."""
        ...


def load_balancer(name: str, balancer: written.LoadBalancer, transport: Transport) -> messages.LoadBalancer:
    """A load balancer whose servers are reached by ``transport``."""
    timeouts = transport.timeouts
    return messages.LoadBalancer(
        name=name,
        servers=tuple(
            messages.Server(server.url, server.weight, server.preserve_path)
            for server in balancer.servers
            if server.weight > 0
        ),
        pass_host_header=balancer.pass_host_header,
        tls=transport.tls,
        dial_timeout=timeouts.dial_timeout,
        response_header_timeout=timeouts.response_header_timeout,
        idle_conn_timeout=timeouts.idle_conn_timeout,
        max_idle_conns_per_host=transport.max_idle,
        http2=transport.http2,
        read_idle_timeout=timeouts.read_idle_timeout,
        ping_timeout=timeouts.ping_timeout,
        strategy=balancer.strategy,
        sticky=_sticky(name, balancer.sticky),
        health_check=_health_check(balancer.health_check),
        passive_health_check=_passive(balancer.passive_health_check),
    )


def combined(name: str, service: written.Service, parts: Parts) -> messages.Service:
    """A service that consists of others; exactly one of the types is given. Raises Broken."""
    if service.weighted is not None:
        weighted = service.weighted
        health = weighted.health_check is not None
        children = _children(weighted.services, parts, health)
        return messages.Weighted(name, children, _sticky(name, weighted.sticky), health)
    if service.highest_random_weight is not None:
        highest = service.highest_random_weight
        health = highest.health_check is not None
        return messages.HighestRandomWeight(name, _children(highest.services, parts, health), health)
    if service.mirroring is not None:
        return _mirroring(name, service.mirroring, parts)
    assert service.failover is not None
    return _failover(name, service.failover, parts)


def knows_health(service: messages.Service) -> bool:
    """Whether ``service`` can tell that it is down."""
    match service:
        case messages.LoadBalancer():
            return service.health_check is not None or service.passive_health_check is not None
        case messages.Internal():
            return False
    return service.health_check


def cookie_name(service: str) -> str:
    """The default name of a sticky cookie, the same as Traefik's: clients keep their server after a change."""
    digest = hashlib.sha1(f"_TRAEFIK_BACKEND_{service}".encode(), usedforsecurity=False).hexdigest()
    return f"_{digest[:5]}"


def _children(parts: tuple[written.Part, ...], find: Parts, health: bool) -> tuple[messages.Child, ...]:
    return tuple(messages.Child(find(part.name, health), part.weight, part.name) for part in parts if part.weight > 0)


def _mirroring(name: str, mirroring: written.Mirroring, parts: Parts) -> messages.Mirroring:
    health = mirroring.health_check is not None
    return messages.Mirroring(
        name=name,
        service=parts(mirroring.service, health),
        mirrors=tuple(messages.Mirror(parts(mirror.name, False), mirror.percent) for mirror in mirroring.mirrors),
        mirror_body=mirroring.mirror_body,
        max_body_size=mirroring.max_body_size,
        health_check=health,
    )


def _failover(name: str, failover: written.Failover, parts: Parts) -> messages.Failover:
    health = failover.health_check is not None
    errors = failover.errors
    return messages.Failover(
        name=name,
        # Without statuses only the health of the first can send a request to the second.
        service=parts(failover.service, health or errors is None),
        fallback=parts(failover.fallback, health),
        statuses=written.status_ranges(errors.status) if errors else (),
        max_request_body=errors.max_request_body_bytes if errors else 1 << 20,
        health_check=health,
    )


def _sticky(service: str, sticky: Sticky | None) -> messages.StickyCookie | None:
    if sticky is None or sticky.cookie is None:
        return None
    cookie = sticky.cookie
    return messages.StickyCookie(
        name=cookie.name or cookie_name(service),
        secure=cookie.secure,
        http_only=cookie.http_only,
        same_site=cookie.same_site.capitalize(),
        max_age=cookie.max_age,
        path=cookie.path or "/",
        domain=cookie.domain,
    )


def _health_check(check: HealthCheck | None) -> messages.HealthCheck | None:
    if check is None:
        return None
    return messages.HealthCheck(
        target=check.path or "/",
        scheme=check.scheme,
        port=check.port,
        method=check.method,
        status=check.status,
        interval=check.interval,
        unhealthy_interval=check.interval if check.unhealthy_interval is None else check.unhealthy_interval,
        timeout=check.timeout,
        hostname=check.hostname,
        headers=tuple(check.headers.items()),
        follow_redirects=check.follow_redirects,
        grpc=check.mode == "grpc",
    )


def _passive(check: PassiveHealthCheck | None) -> messages.PassiveHealthCheck | None:
    if check is None:
        return None
    return messages.PassiveHealthCheck(check.failure_window, check.max_failed_attempts)
