"""Services as written → services as run: names qualified, parts found, transports resolved, servers of no weight left
out.

What is wrong with a service breaks it, everything that consists of it, and the routers that name one of these; the
rest of the table is used.
"""

from __future__ import annotations

from collections.abc import Mapping

from doorward.config import services as written
from doorward.config.dynamic import DynamicConfiguration
from doorward.config.problems import nearest
from doorward.config.section import Names
from doorward.config.static import StaticServersTransport
from doorward.messages import routing as messages
from doorward.sources import balancers
from doorward.sources.references import Broken, qualified
from doorward.sources.transports import Transports

MAX_DEPTH = 16
"""Services in services in services."""
_MAX_PATH = 100


class ServiceTable:
    """All services of all providers, the internal ones included."""

    def __init__(
        self,
        providers: Mapping[str, DynamicConfiguration],
        default: StaticServersTransport,
        internal: Mapping[str, messages.Service],
    ) -> None:
        """Raises BadPem when a certificate file cannot be used."""
        self.made: dict[str, messages.Service] = dict(internal)
        self._broken: dict[str, str] = {}
        self._depth: dict[str, int] = {}
        self._transports = Transports(providers, default)
        self._written = {
            f"{name}@{provider}": (service, provider)
            for provider, configuration in providers.items()
            for name, service in configuration.http.services.items()
        }
        for name in self._written:
            try:
                self.need(name, ())
            except Broken:
                pass  # remembered, for whoever names it

    def resolve(self, name: str, provider: str) -> str:
        """The qualified name of a service that exists and works. Raises Broken."""
        full = qualified(name, provider)
        self.need(full, ())
        return full

    def need(self, name: str, path: tuple[str, ...]) -> messages.Service:
        """The service ``name``, made now if need be; ``path``: what is being made and consists of it.

        Raises Broken.
        """
        if name in self.made:
            return self.made[name]
        if name in self._broken:
            raise Broken(self._broken[name])
        if name not in self._written:
            hint = nearest(name, (*self.made, *self._written))
            raise Broken(f"the service {name!r} does not exist" + (f"; {hint}" if hint else ""))
        try:
            if name in path:
                circle = " → ".join((*path[path.index(name) :], name))
                raise Broken(f"the service {name!r} consists of itself: {circle}")
            if len(path) > _MAX_PATH:
                raise Broken(f"the service {name!r} is nested deeper than {MAX_DEPTH} services")
            made = self.made[name] = self._make(name, path)
        except Broken as error:
            self._broken[name] = str(error)
            raise
        return made

    def _make(self, name: str, path: tuple[str, ...]) -> messages.Service:
        service, provider = self._written[name]
        types = service.types()
        if len(types) != 1:
            what = f"has two types, {' and '.join(types)}" if types else "has no type"
            raise Broken(f"the service {name!r} {what}")
        if service.load_balancer is not None:
            return self._load_balancer(name, service.load_balancer, provider)
        parts = _Parts(self, name, provider, (*path, name))
        made = balancers.combined(name, service, parts)
        self._depth[name] = depth = 1 + parts.depth
        if depth > MAX_DEPTH:
            raise Broken(f"the service {name!r} is nested deeper than {MAX_DEPTH} services")
        return made

    def _load_balancer(self, name: str, balancer: written.LoadBalancer, provider: str) -> messages.LoadBalancer:
        try:
            transport = self._transports.resolve(balancer.servers_transport, provider)
        except Broken as error:
            raise Broken(f"the service {name!r} {error}") from error
        return balancers.load_balancer(name, balancer, transport)

    def middlewares_of(self, name: str) -> tuple[Names, str]:
        """The middlewares of the service ``name``, as its provider calls them, and that provider."""
        service, provider = self._written.get(name, (None, ""))
        return (service.middlewares, provider) if service is not None else ((), provider)

    def depth_of(self, name: str) -> int:
        """How many services deep ``name`` goes; 0 for one that consists of servers."""
        return self._depth.get(name, 0)


class _Parts:
    """Finds what one service consists of, and notes how deep that goes."""

    def __init__(self, table: ServiceTable, owner: str, provider: str, path: tuple[str, ...]) -> None:
        self._table = table
        self._owner = owner
        self._provider = provider
        self._path = path
        self.depth = 0

    def __call__(self, name: str, health: bool) -> str:
        """The qualified name of the part ``name``. Raises Broken."""
        full = qualified(name, self._provider)
        if full.endswith("@internal"):
            # A router gives these middlewares of their own, which they would lose as a part of something.
            raise Broken(f"the service {self._owner!r} cannot have {full!r} as a part: name it in a router")
        if self._table.middlewares_of(full)[0]:
            raise Broken(
                f"the service {self._owner!r} cannot have {full!r} as a part, because that has middlewares: "
                "give them to the router"
            )
        made = self._table.need(full, self._path)
        if health and not balancers.knows_health(made):
            raise Broken(
                f"the service {self._owner!r} looks at the health of {full!r}, which has no healthCheck; give it one"
            )
        self.depth = max(self.depth, self._table.depth_of(full))
        return full
