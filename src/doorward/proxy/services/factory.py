"""Which class runs which service of the routing table."""

from __future__ import annotations

from collections.abc import Mapping

from doorward.messages import routing as messages
from doorward.net.pools import Pools
from doorward.proxy.exchange import Service
from doorward.proxy.ports import InternalService
from doorward.proxy.services.internal import Internal
from doorward.proxy.services.load_balancer import LoadBalancer
from doorward.proxy.services.unavailable import Unavailable


class ServiceFactory:
    """Makes services; the connection pools outlive a change of the table."""

    def __init__(self, internals: Mapping[str, InternalService], pools: Pools) -> None:
        """``internals`` by qualified name (``outpost@internal``)."""
        self._internals = internals
        self._pools = pools

    def service(self, service: messages.Service) -> Service:
        """The running form of ``service``; one that cannot run is closed (503) and says why in the log."""
        try:
            return self._make(service)
        except ValueError as error:
            return Unavailable(service.name, str(error))

    def _make(self, service: messages.Service) -> Service:
        if isinstance(service, messages.Internal):
            internal = self._internals.get(service.name)
            if internal is None:
                raise ValueError(f"there is no internal service {service.name!r}")
            return Internal(service.name, internal)
        return LoadBalancer(service, self._pools)
