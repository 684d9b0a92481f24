"""Which router answers a request.

A routing table is compiled once into an index: (entry point, TLS or not) → host → the routers that can match there,
in order, with everything in their rules that depends on the host already decided. What is left to ask per request
is the path and the method. A router that cannot be built keeps its place and is marked broken, so that nothing of
lower priority answers for it (S-220).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from doorward.messages import routing as messages
from doorward.net.server_tls import set_for
from doorward.proxy.middlewares.bulkhead import Bulkheads
from doorward.proxy.middlewares.catalogue import build_middleware
from doorward.proxy.middlewares.client_facts import IDENTITY_SERVICE, StateClientFacts
from doorward.proxy.middlewares.method_override import DropMethodOverride
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.request import Middleware, Request
from doorward.proxy.rule_tests import Test, asks, compile_rule, decide_host, host_names
from doorward.proxy.services.directory import Directory, Unusable
from doorward.wire.http1.errors import Rejected
from doorward.wire.path import has_sensitive_escape


class Workshop(Protocol):
    """Makes the runtime parts that routing only refers to."""

    def authority(self, middleware: messages.ForwardAuth) -> ForwardAuthority:
        """Whoever answers for this ``forwardAuth``."""
        ...

    def service(self, service: messages.Service, part: Callable[[str], object]) -> object:
        """The running form of a service; called once per service of a table. ``part`` gives the running form of
        another one that it consists of, by name, or raises ValueError."""
        ...


class Route(Struct, frozen=True, gc=False):
    """A router ready to be used. Like the messages of which it is made it has no part in any cycle, and the collector
    never walks through it: ten thousand of them would hold every request up."""

    name: str
    rule_text: str
    middlewares: tuple[Middleware, ...]
    """In the order in which they see the request."""
    service: object
    """What ``Workshop.service`` made; None when broken."""
    service_name: str
    broken: str = ""
    """Why it cannot serve: the answer is 503 and this goes to the log."""
    tls_options: str = ""
    """Name of the set of TLS options with which the handshake must have been made (S-047); empty: any, or none."""


class HostRoutes(Struct, frozen=True, gc=False):
    """The routers of one host, in order; ``test`` None matches everything."""

    tests: tuple[tuple[Test | None, Route], ...]
    path_matters: bool
    """Which middlewares run depends on the path: then ambiguous paths are refused (S-205)."""

    def route(self, path: bytes, method: bytes) -> Route | None:
        """The first that matches the routing path ``path``."""
        for test, route in self.tests:
            if test is None or test(path, method):
                return route
        return None


_NOBODY = HostRoutes((), False)


@dataclass(frozen=True, slots=True)
class _Side:
    """All hosts of one entry point, on TLS or off it."""

    exact: dict[bytes, HostRoutes]
    """Of those in ``named`` that were asked for: of ten thousand hosts few are, and making all of them at once would
    keep every request waiting while a new table comes."""
    wildcards: dict[bytes, HostRoutes]
    """By the parent domain: ``*.example.test`` is under ``example.test``."""
    named: dict[bytes, str]
    named_wildcards: dict[bytes, str]
    make: Callable[[str | None], HostRoutes]
    unknown: HostRoutes
    nameless: HostRoutes
    """For a request that names no host."""
    routes: tuple[Route, ...]

    def host(self, name: bytes) -> HostRoutes:
        found = self.exact.get(name)
        if found is not None:
            return found
        if name in self.named:
            return self.exact.setdefault(name, self.make(self.named[name]))
        label, dot, parent = name.partition(b".")
        if dot and label:
            found = self.wildcards.get(parent)
            if found is not None:
                return found
            if parent in self.named_wildcards:
                return self.wildcards.setdefault(parent, self.make(self.named_wildcards[parent]))
        return self.unknown if name else self.nameless


class Routes:
    """A compiled routing table. Never changes; a new table makes a new one."""

    def __init__(self, table: messages.RoutingTable, sides: dict[tuple[str, bool], _Side]) -> None:
        self.table = table
        self._sides = sides

    @classmethod
    def build(cls, table: messages.RoutingTable, workshop: Workshop) -> Routes:
        """Compile ``table``. Never raises for what a single router holds: that router is broken instead."""
        services = Directory(table.services, workshop.service)
        bulkheads = Bulkheads()
        made: dict[messages.Middleware, Middleware] = {}
        chains: dict[tuple[Middleware, ...], tuple[Middleware, ...]] = {}
        sides: dict[tuple[str, bool], list[tuple[messages.Router, Route]]] = {}
        for router in table.routers:
            route = _route(router, services, workshop, bulkheads, made)
            if route.middlewares:
                route = replace(route, middlewares=chains.setdefault(route.middlewares, route.middlewares))
            for entry_point in router.entry_points:
                sides.setdefault((entry_point, router.tls), []).append((router, route))
        sets: dict[str, dict[str, str]] = {}
        for entry in table.tls_names:
            sets.setdefault(entry.entry_point, {})[entry.name] = entry.options
        return cls(table, {key: _side(routers, _sets_of(sets, *key)) for key, routers in sides.items()})

    def has(self, entry_point: str, *, tls: bool) -> bool:
        """Whether any router answers at ``entry_point``, with TLS or without."""
        return (entry_point, tls) in self._sides

    def match(self, request: Request) -> Route | None:
        """The router that answers ``request``, or None for a 404.

        Raises Rejected(400, encoded_char) where the path decides about protection and could be read in two ways.
        """
        host = self.host_routes(request)
        path = request.path
        if host.path_matters and (b"%" in path or b";" in path) and _is_ambiguous(path):
            raise Rejected(400, "encoded_char")
        if b"%" in path:
            path = routing_path(path)
        return host.route(path, request.method)

    def host_routes(self, request: Request) -> HostRoutes:
        """The routers of the host that ``request`` names."""
        side = self._sides.get((request.entry_point, request.tls))
        return _NOBODY if side is None else side.host(request.host)

    def at(self, entry_point: str, *, tls: bool) -> Sequence[Route]:
        """Every route that answers at ``entry_point``."""
        side = self._sides.get((entry_point, tls))
        return () if side is None else side.routes


_escape = re.compile(rb"%([0-9A-F]{2})")
_RESERVED = frozenset(b":/?#[]@!$&'()*+,;=%")
_dot_parameters = re.compile(rb"/\.{1,2};").search


def routing_path(path: bytes) -> bytes:
    """The canonical ``path`` as rules see it: escapes decoded, except those of reserved characters."""
    return _escape.sub(_decoded_unless_reserved, path)


def _decoded_unless_reserved(match: re.Match[bytes]) -> bytes:
    byte = int(match[1], 16)
    return match[0] if byte in _RESERVED else bytes((byte,))


def _is_ambiguous(path: bytes) -> bool:
    """Some application takes an escaped byte for a separator (S-205), or ``..;`` for the parent (S-207)."""
    return has_sensitive_escape(path) or _dot_parameters(path) is not None


# --- building --------------------------------------------------------------------------------------------------


def _route(
    router: messages.Router,
    services: Directory,
    workshop: Workshop,
    bulkheads: Bulkheads,
    made: dict[messages.Middleware, Middleware],
) -> Route:
    """``made``: routers with equal middlewares share them."""
    if router.broken:
        return _broken(router, router.broken)
    service = services.get(router.service)
    if isinstance(service, Unusable):
        return _broken(router, service.reason)
    middlewares: list[Middleware] = []
    if asks(router.rule, messages.Method):
        middlewares.append(DropMethodOverride())
    for middleware in router.middlewares:
        try:
            if middleware not in made:
                made[middleware] = build_middleware(middleware, workshop.authority, bulkheads)
            middlewares.append(made[middleware])
        except Exception as error:  # noqa: BLE001 - whatever it is, this router must not open, and only this one
            return _broken(router, f"the middleware {middleware.name!r} cannot be built: {error}")
    if router.service == IDENTITY_SERVICE:
        middlewares.append(StateClientFacts())
    return Route(
        router.name, router.rule_text, tuple(middlewares), service, router.service, tls_options=router.tls_options
    )


def _broken(router: messages.Router, reason: str) -> Route:
    return Route(router.name, router.rule_text, (), None, router.service, broken=reason)


_SetOf = Callable[[str | None], str]
"""The set of TLS options with which a client that asks for a host has made its handshake."""


def _sets_of(sets: dict[str, dict[str, str]], entry_point: str, tls: bool) -> _SetOf:
    if not tls:
        return lambda name: ""
    here = sets.get(entry_point, {})
    return lambda name: set_for(here, name or "")


def _side(routers: Sequence[tuple[messages.Router, Route]], set_of: _SetOf) -> _Side:
    places_of: dict[str, list[int]] = {}
    for place, (router, _) in enumerate(routers):
        for name in host_names(router.rule):
            places_of.setdefault(name, []).append(place)
    naming = {name: tuple(places) for name, places in places_of.items()}
    # To a router that does not name a host (nor the wildcard above it) all unnamed hosts are alike.
    everywhere = [place for place, (router, _) in enumerate(routers) if decide_host(router.rule, None) is not False]

    def host(name: str | None) -> HostRoutes:
        places = {*everywhere, *naming.get(name or "", ())}
        if name and not name.startswith("*."):
            places.update(naming.get(f"*.{name.partition('.')[2]}", ()))
        return _host([routers[place] for place in sorted(places)], name, set_of(name or None))

    return _Side(
        exact={},
        wildcards={},
        named={name.encode(): name for name in naming if name and not name.startswith("*.")},
        named_wildcards={name[2:].encode(): name for name in naming if name.startswith("*.")},
        make=host,
        unknown=host(None),
        nameless=host(""),
        routes=tuple(route for _, route in routers),
    )


def _host(routers: Iterable[tuple[messages.Router, Route]], name: str | None, tls_options: str) -> HostRoutes:
    tests: list[tuple[Test | None, Route]] = []
    kinds = set()
    asks_path = False
    for router, route in routers:
        rule = decide_host(router.rule, name)
        if rule is False:
            continue
        if tls_options and not route.tls_options:
            route = replace(route, tls_options=tls_options)
        tests.append((None if rule is True else compile_rule(rule), route))
        kinds.add((router.middlewares, bool(router.broken)))
        asks_path = asks_path or (rule is not True and asks(rule, (messages.Path, messages.PathPrefix)))
        if rule is True:
            break
    return HostRoutes(tuple(tests), asks_path and len(kinds) > 1) if tests else _NOBODY
