"""Servers' health, checked once for all workers.

Actively: every server of a load balancer with a ``healthCheck`` is asked from time to time. Passively: workers report
failures of servers with a ``passiveHealthCheck``, and a server that failed too often, whoever saw it, rests. Whatever
changes is told at once. A server is up until something else is known of it; what is known stays known through every
change of the table that leaves the server and its service's name in place.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from doorward.messages.control import ServerFailed, ServerHealth, ServerRest, ServersHealth
from doorward.messages.routing import LoadBalancer, PassiveHealthCheck, RoutingTable
from doorward.net import health_probe
from doorward.net.client import Client
from doorward.net.health_probe import Probe
from doorward.net.pool import PoolSettings

MAX_AT_ONCE = 64
"""Servers that are asked at the same time; others wait for their turn."""

Key = tuple[str, str]
"""Service, URL of the server."""


@dataclass(slots=True)
class Watched:
    """What is known about one server."""

    probe: Probe | None = None
    passive: PassiveHealthCheck | None = None
    up: bool | None = None
    """What the last check found; None before the first."""
    failures: deque[float] = field(default_factory=deque)
    """When it failed, within the window."""
    rests_until: float = 0.0
    asking: asyncio.Task[None] | None = None
    resting: asyncio.TimerHandle | None = None

    def failed(self, now: float) -> bool:
        """It failed once more; True when that is once too often."""
        assert self.passive is not None
        failures, window = self.failures, self.passive.failure_window
        failures.append(now)
        while failures[0] < now - window:
            failures.popleft()
        return len(failures) >= self.passive.max_failed_attempts

    def stop(self) -> None:
        """Ask and wake no more."""
        for pending in (self.asking, self.resting):
            if pending is not None:
                pending.cancel()
        self.asking = self.resting = None


class HealthChecks:
    """See the module. Used from one event loop."""

    def __init__(self, changed: Callable[[ServersHealth], None], say: Callable[[str], None]) -> None:
        """``changed`` is told what has just become known, ``say`` what an operator wants to read."""
        self._changed = changed
        self._say = say
        self._client = Client(PoolSettings(idle_timeout=60.0, max_idle=1))
        self._servers: dict[Key, Watched] = {}
        self._gate = asyncio.Semaphore(MAX_AT_ONCE)

    def use(self, table: RoutingTable) -> None:
        """Check what ``table`` says from now on."""
        wanted = _wanted(table)
        for key in [key for key in self._servers if key not in wanted]:
            self._servers.pop(key).stop()
        for key, (probe, passive) in wanted.items():
            watched = self._servers.setdefault(key, Watched())
            watched.passive = passive
            if passive is None:
                self._wake(watched)
            if watched.probe != probe:
                self._probe(key, watched, probe)

    def failed(self, failure: ServerFailed) -> None:
        """A worker saw a server fail."""
        key = (failure.service, failure.url)
        watched = self._servers.get(key)
        if watched is None or watched.passive is None or watched.resting is not None:
            return
        if watched.failed(time.monotonic()):
            self._rest(key, watched, watched.passive.failure_window)

    def known(self) -> ServersHealth:
        """Everything, for a worker that has just come."""
        now = time.monotonic()
        return ServersHealth(
            tuple(ServerHealth(*key, watched.up) for key, watched in self._servers.items() if watched.up is not None),
            tuple(
                ServerRest(*key, max(watched.rests_until - now, 0.0))
                for key, watched in self._servers.items()
                if watched.resting is not None
            ),
        )

    def gauges(self) -> dict[str, float]:
        """``traefik_service_server_up`` of every server that is checked in any way."""
        return {
            f'traefik_service_server_up{{service="{_label(service)}",url="{_label(url)}"}}': float(
                watched.up is not False and watched.resting is None
            )
            for (service, url), watched in self._servers.items()
        }

    async def close(self) -> None:
        """Stop."""
        for watched in self._servers.values():
            watched.stop()
        await self._client.close()

    # --- asking ----------------------------------------------------------------------------------------------------

    def _probe(self, key: Key, watched: Watched, probe: Probe | None) -> None:
        watched.probe = probe
        if watched.asking is not None:
            watched.asking.cancel()
            watched.asking = None
        if probe is None:
            watched.up = None
        else:
            watched.asking = asyncio.get_running_loop().create_task(self._ask_again_and_again(key, watched, probe))

    async def _ask_again_and_again(self, key: Key, watched: Watched, probe: Probe) -> None:
        check = probe.check
        while True:
            await asyncio.sleep(check.unhealthy_interval if watched.up is False else check.interval)
            try:
                async with self._gate:
                    why = await health_probe.ask(self._client, probe)
            except Exception as error:  # noqa: BLE001 - our fault says nothing about the server, and must not end this
                self._say(f"checking {probe.url} of {key[0]} failed: {error!r}")
            else:
                self._found(key, watched, why)

    def _found(self, key: Key, watched: Watched, why: str) -> None:
        up = not why
        if up is watched.up:
            return
        first, watched.up = watched.up is None, up
        service, url = key
        if not up:
            self._say(f"the server {url} of {service} is down: {why}")
        elif not first:
            self._say(f"the server {url} of {service} is up again")
        self._changed(ServersHealth((ServerHealth(service, url, up),)))

    # --- resting ---------------------------------------------------------------------------------------------------

    def _rest(self, key: Key, watched: Watched, seconds: float) -> None:
        watched.failures.clear()
        watched.rests_until = time.monotonic() + seconds
        watched.resting = asyncio.get_running_loop().call_later(seconds, self._rested, key)
        service, url = key
        self._say(f"the server {url} of {service} failed too often and gets no requests for {seconds:g} s")
        self._changed(ServersHealth(resting=(ServerRest(service, url, seconds),)))

    def _rested(self, key: Key) -> None:
        watched = self._servers.get(key)
        if watched is not None:
            watched.resting = None
            self._say(f"the server {key[1]} of {key[0]} gets requests again")
            self._changed(ServersHealth())

    def _wake(self, watched: Watched) -> None:
        if watched.resting is not None:
            watched.resting.cancel()
            watched.resting = None


def _wanted(table: RoutingTable) -> dict[Key, tuple[Probe | None, PassiveHealthCheck | None]]:
    """The servers that are to be checked, and how."""
    wanted: dict[Key, tuple[Probe | None, PassiveHealthCheck | None]] = {}
    for service in table.services.values():
        if not isinstance(service, LoadBalancer):
            continue
        check, passive = service.health_check, service.passive_health_check
        if check is None and passive is None:
            continue
        for server in service.servers:
            probe = Probe(server.url, service.tls, check) if check is not None else None
            wanted[service.name, server.url] = (probe, passive)
    return wanted


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
