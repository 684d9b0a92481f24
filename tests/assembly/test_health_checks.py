"""Servers are checked once for everybody, and everybody hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from msgspec.structs import replace

from doorward.assembly.health_checks import HealthChecks
from doorward.messages.control import ServerFailed, ServerHealth, ServerRest, ServersHealth
from doorward.messages.routing import HealthCheck, LoadBalancer, PassiveHealthCheck, RoutingTable, Server
from proxy.engine.application import Application, Conversation, Recorded

CHECK = HealthCheck("/health", interval=0.05, unhealthy_interval=0.02, timeout=0.5)


class World:
    """A server whose health is a word, and what is told about it."""

    def __init__(self) -> None:
        self.app = Application(self._answer)
        self.well = True
        self.told: list[ServersHealth] = []
        self.said: list[str] = []
        self.checks = HealthChecks(self.told.append, self.said.append)

    async def _answer(self, request: Recorded, conversation: Conversation) -> bytes:
        return b"HTTP/1.1 %d Hm\r\nContent-Length: 0\r\n\r\n" % (200 if self.well else 500)

    def use(self, *services: LoadBalancer) -> None:
        self.checks.use(RoutingTable(1, (), {service.name: service for service in services}))

    def service(self, **options: object) -> LoadBalancer:
        return LoadBalancer("s@file", (Server(self.app.url),), **options)  # type: ignore[arg-type]

    async def until(self, count: int) -> None:
        """That much was told."""
        async with asyncio.timeout(3):
            while len(self.told) < count:
                await asyncio.sleep(0.005)

    @property
    def health(self) -> list[bool]:
        return [server.up for message in self.told for server in message.checked]

    @property
    def gauge(self) -> dict[str, float]:
        return self.checks.gauges()


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.app.start()
    yield world
    await world.checks.close()
    await world.app.stop()
    await asyncio.sleep(0.01)


async def test_down_and_up_again(world: World) -> None:
    """Each change is told once, said once, and shows in the gauge; the first question comes after one interval."""
    world.use(world.service(health_check=CHECK))
    series = f'traefik_service_server_up{{service="s@file",url="{world.app.url}"}}'
    await asyncio.sleep(0.02)
    assert world.app.requests == []
    assert world.gauge == {series: 1.0}

    await world.until(1)
    world.well = False
    await world.until(2)
    assert world.gauge == {series: 0.0}
    await asyncio.sleep(0.1)
    world.well = True
    await world.until(3)

    assert world.health == [True, False, True]
    assert world.gauge == {series: 1.0}
    assert world.said == [
        f"the server {world.app.url} of s@file is down: it answered 500",
        f"the server {world.app.url} of s@file is up again",
    ]
    assert world.checks.known() == ServersHealth((ServerHealth("s@file", world.app.url, True),))


async def test_a_sick_server_is_asked_at_its_own_pace(world: World) -> None:
    """``unhealthyInterval`` holds while it is down."""
    world.well = False
    world.use(world.service(health_check=replace(CHECK, interval=0.02, unhealthy_interval=30.0)))
    await world.until(1)
    await asyncio.sleep(0.1)

    assert len(world.app.requests) == 1


async def test_an_unchanged_server_is_not_asked_anew(world: World) -> None:
    """A reload that leaves it alone leaves its state and its rhythm; a changed check keeps what is known."""
    world.well = False
    service = world.service(health_check=replace(CHECK, unhealthy_interval=30.0))
    world.use(service)
    await world.until(1)

    world.use(service, LoadBalancer("t@file", (Server("http://127.0.0.1:1"),)))
    await asyncio.sleep(0.1)
    assert len(world.app.requests) == 1
    world.use(replace(service, health_check=replace(CHECK, unhealthy_interval=20.0)))
    assert world.checks.known().checked == (ServerHealth("s@file", world.app.url, False),)
    world.use(replace(service, health_check=None))
    assert world.checks.known() == ServersHealth()
    assert world.gauge == {}


async def test_a_server_that_left_is_not_asked(world: World) -> None:
    """Neither it nor its state remains."""
    world.use(world.service(health_check=CHECK))
    await world.until(1)

    world.use()
    asked = len(world.app.requests)
    await asyncio.sleep(0.15)

    assert len(world.app.requests) == asked
    assert world.checks.known() == ServersHealth()


async def test_failures_add_up_over_workers(world: World) -> None:
    """Whoever reports them: the third within the window sends the server to rest, for as long."""
    world.use(world.service(passive_health_check=PassiveHealthCheck(0.3, 3)))
    failure = ServerFailed("s@file", world.app.url)

    world.checks.failed(failure)
    world.checks.failed(failure)
    assert world.told == []
    world.checks.failed(failure)
    world.checks.failed(failure)

    assert world.told == [ServersHealth(resting=(ServerRest("s@file", world.app.url, 0.3),))]
    (left,) = world.checks.known().resting
    assert 0 < left.seconds <= 0.3
    assert list(world.gauge.values()) == [0.0]
    await asyncio.sleep(0.35)
    assert list(world.gauge.values()) == [1.0]
    assert world.checks.known() == ServersHealth()
    assert len(world.said) == 2


async def test_old_failures_do_not_count(world: World) -> None:
    """Two within the window are two, whatever was before."""
    world.use(world.service(passive_health_check=PassiveHealthCheck(0.1, 2)))
    failure = ServerFailed("s@file", world.app.url)

    for _ in range(3):
        world.checks.failed(failure)
        await asyncio.sleep(0.12)

    assert world.told == []


async def test_unasked_reports_are_ignored(world: World) -> None:
    """Of servers that are unknown, or not watched in this way any more."""
    world.use(world.service(health_check=CHECK))
    world.checks.failed(ServerFailed("s@file", world.app.url))
    world.checks.failed(ServerFailed("nope@file", "http://x"))

    assert world.told == []
