"""Which class runs which service of the routing table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast
from weakref import WeakValueDictionary

from doorward.messages import routing as messages
from doorward.net.pools import Pools
from doorward.proxy.ports import InternalService
from doorward.proxy.service import Service
from doorward.proxy.services.attentive_balancer import AttentiveBalancer, needs_attention
from doorward.proxy.services.failover import Failover
from doorward.proxy.services.health_board import HealthBoard
from doorward.proxy.services.internal import Internal
from doorward.proxy.services.load_balancer import LoadBalancer
from doorward.proxy.services.mirroring import Mirroring
from doorward.proxy.services.part import Part
from doorward.proxy.services.unavailable import Unavailable
from doorward.proxy.services.weighted import HighestRandomWeight, Weighted


class ServiceFactory:
    """Makes services. Connection pools outlive a change of the table, and so do load balancers that it does not
    touch, with everything that they know about their servers."""

    def __init__(
        self, internals: Mapping[str, InternalService], pools: Pools, health: HealthBoard | None = None
    ) -> None:
        """``internals`` by qualified name (``outpost@internal``)."""
        self._internals = internals
        self._pools = pools
        self._health = health or HealthBoard()
        self._balancers: WeakValueDictionary[str, LoadBalancer] = WeakValueDictionary()

    def service(self, service: messages.Service, part: Callable[[str], object]) -> Service:
        """The running form of ``service``; ``part`` gives the services that it consists of. One that cannot run is
        closed (503) and says why in the log."""
        try:
            return self._make(service, lambda name: cast(Part, part(name)))
        except ValueError as error:
            return Unavailable(service.name, str(error))

    def _make(self, service: messages.Service, part: Callable[[str], Part]) -> Service:
        match service:
            case messages.LoadBalancer():
                return self._balancer(service)
            case messages.Weighted():
                return Weighted(service, [part(child.service) for child in service.services])
            case messages.HighestRandomWeight():
                return HighestRandomWeight(service, [part(child.service) for child in service.services])
            case messages.Mirroring():
                return Mirroring(service, part(service.service), [part(mirror.service) for mirror in service.mirrors])
            case messages.Failover():
                return Failover(service, part(service.service), part(service.fallback))
            case messages.Internal():
                return self._internal(service.name)

    def _balancer(self, service: messages.LoadBalancer) -> LoadBalancer:
        standing = self._balancers.get(service.name)
        if standing is not None and standing.message == service:
            return standing
        kind = AttentiveBalancer if needs_attention(service) else LoadBalancer
        balancer = self._balancers[service.name] = kind(service, self._pools, self._health)
        return balancer

    def _internal(self, name: str) -> Internal:
        internal = self._internals.get(name)
        if internal is None:
            raise ValueError(f"there is no internal service {name!r}")
        return Internal(name, internal)
