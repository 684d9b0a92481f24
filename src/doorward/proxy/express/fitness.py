"""Which requests and routes are fit for the express lane, and whose requests are alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from typing import cast

from doorward.proxy.express.trip import NoTrip
from doorward.proxy.middlewares.forward_auth import ForwardAuthMiddleware
from doorward.proxy.middlewares.inquiry import Toll
from doorward.proxy.request import ALWAYS, Check, ConnectionFacts, Request, SteadyMiddleware
from doorward.proxy.routing import Route
from doorward.proxy.services.load_balancer import LoadBalancer
from doorward.wire.http1.request import RequestHead

_MOST_MIDDLEWARES = 32
"""With more of them asking each one about a name would take too long: then every field is fixed."""


def is_plain(head: RequestHead) -> bool:
    """Nothing about the connection is asked for, and there is no body."""
    return (
        head.method == b"GET"
        and head.body_length == 0
        and head.keep_alive
        and head.connection <= _KEEP_ALIVE
        and not head.expect_continue
        and not head.wants_trailers
    )


_KEEP_ALIVE = frozenset((b"keep-alive",))


def may_ride(route: Route) -> bool:
    """Whether requests can go to ``route`` on the lane, as far as the route itself is concerned."""
    service = route.service
    return (
        type(service) is LoadBalancer
        and not service.response_header_timeout
        and all(not server.prefix and server.pool.speaks_http1 for server in service.servers)
        and all(isinstance(each, SteadyMiddleware) and each.steady for each in route.middlewares)
    )


def asks_elsewhere(route: Route) -> bool:
    return any(isinstance(each, ForwardAuthMiddleware) and each.asks for each in route.middlewares)


def rehearse(route: Route, request: Request) -> tuple[tuple[Check, ...], Toll | None]:
    """Let ``request`` through the middlewares of ``route``, and say what must hold for the next one, and what it has to
    pay. Raises NoTrip."""
    checks: list[Check] = []
    toll: Toll | None = None
    for middleware in route.middlewares:
        check = cast(SteadyMiddleware, middleware).rehearse(request)  # ``may_ride`` has looked
        if isinstance(check, Toll):
            if toll is not None:
                raise NoTrip
            toll = check
        elif check is None:
            raise NoTrip
        elif check is not ALWAYS:
            checks.append(check)
    if toll is not None and checks:
        raise NoTrip  # what holds before the auth server is asked may not hold afterwards
    return tuple(checks), toll


def regarded_by(middlewares: Collection[SteadyMiddleware]) -> Callable[[bytes], bool]:
    if len(middlewares) > _MOST_MIDDLEWARES:
        return lambda name: True
    return lambda name: any(middleware.regards(name) for middleware in middlewares)


def mark_of(facts: ConnectionFacts) -> bytes:
    """What stands for the facts of a connection, so that clients share what was learned only where those are equal."""
    chain = hashlib.sha256(repr(facts.client_chain).encode()).hexdigest() if facts.client_chain else ""
    tls = (facts.tls, facts.tls_options, facts.tls_version, facts.tls_cipher)
    return repr((facts.peer, facts.port, tls, chain)).encode() + b"\r\n"
