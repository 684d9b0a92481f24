"""What a worker knows about the health of servers: told by the control process, which checks for all workers.

Every server is up until told otherwise. One that failed too often rests for a stated time and comes back by itself,
whatever becomes of the control process meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol
from weakref import WeakValueDictionary

from doorward.messages.control import ServerFailed, ServersHealth
from doorward.messages.routing import LoadBalancer as Message


class Balancer(Protocol):
    """Whoever distributes requests by what the board says."""

    name: str
    message: Message

    def health_changed(self) -> None: ...


_Key = tuple[str, str]
"""Service, URL of the server."""


class HealthBoard:
    """Used from one event loop."""

    def __init__(self, report: Callable[[ServerFailed], object] = lambda _: None) -> None:
        """``report`` passes failures on to the control process."""
        self._report = report
        self._down: set[_Key] = set()
        self._resting: dict[_Key, asyncio.TimerHandle] = {}
        self._balancers: WeakValueDictionary[str, Balancer] = WeakValueDictionary()

    def is_up(self, service: str, url: str) -> bool:
        key = (service, url)
        return key not in self._down and key not in self._resting

    def hear(self, message: ServersHealth) -> None:
        """Something is known, or has changed."""
        changed = set()
        for server in message.checked:
            key = (server.service, server.url)
            if server.up is (key in self._down):
                self._down.symmetric_difference_update((key,))
                changed.add(server.service)
        for rest in message.resting:
            key = (rest.service, rest.url)
            self._wake(key)
            self._resting[key] = asyncio.get_running_loop().call_later(rest.seconds, self._rested, key)
            changed.add(rest.service)
        self._tell(changed)

    def failed(self, service: str, url: str) -> None:
        """A server with a passive health check failed."""
        if (service, url) not in self._resting:
            self._report(ServerFailed(service, url))

    def attach(self, balancer: Balancer) -> None:
        """``balancer`` stands for its service from now on; what is known about servers that it checks stays known."""
        message = balancer.message
        urls = {server.url for server in message.servers}
        active, passive = message.health_check is not None, message.passive_health_check is not None
        self._down = {key for key in self._down if key[0] != message.name or (active and key[1] in urls)}
        for key in [key for key in self._resting if key[0] == message.name]:
            if not passive or key[1] not in urls:
                self._wake(key)
        self._balancers[message.name] = balancer
        balancer.health_changed()

    def forget_all_but(self, services: set[str]) -> None:
        """No other services exist any more."""
        self._down = {key for key in self._down if key[0] in services}
        for key in [key for key in self._resting if key[0] not in services]:
            self._wake(key)

    def _rested(self, key: _Key) -> None:
        self._resting.pop(key, None)
        self._tell({key[0]})

    def _wake(self, key: _Key) -> None:
        timer = self._resting.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _tell(self, services: set[str]) -> None:
        for service in services:
            balancer = self._balancers.get(service)
            if balancer is not None:
                balancer.health_changed()
