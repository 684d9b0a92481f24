"""The running services of a table, each made once, whoever asks for it first: a router, or a service that has it as a
part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from doorward.messages import routing as messages
from doorward.proxy.services.nothing import Nothing

_NOOP = messages.Internal("noop@internal")


@dataclass(frozen=True, slots=True)
class Unusable:
    """There is no such service, or it cannot be made: routers that name it are broken, and only those."""

    reason: str


class Directory:
    def __init__(
        self,
        table: Mapping[str, messages.Service],
        make: Callable[[messages.Service, Callable[[str], object]], object],
    ) -> None:
        """``make`` gives the running form of a service, by means of a function that gives its parts."""
        self._table = table
        self._make = make
        self._made: dict[str, object] = {}
        for name in table:
            self.get(name)

    def get(self, name: str) -> object:
        """The service called ``name``, or why it is ``Unusable``."""
        if name not in self._table:
            return Unusable(f"the service {name!r} does not exist")
        if name not in self._made:
            self._made[name] = Unusable(f"the service {name!r} consists of itself")
            self._made[name] = self._build(self._table[name])
        return self._made[name]

    def _build(self, service: messages.Service) -> object:
        if service == _NOOP:
            return Nothing()
        try:
            return self._make(service, self._part)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other routers go on
            return Unusable(f"the service {service.name!r} cannot be built: {error}")

    def _part(self, name: str) -> object:
        part = self.get(name)
        if isinstance(part, Unusable):
            raise ValueError(part.reason)
        return part
