"""A new routing table takes the place of the old one and of nothing else: the old one goes, whatever its size, and the
collector has no more to do than before."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator

import msgspec
import pytest

from doorward.messages import routing as messages
from doorward.messages.routing import All, Host, PathPrefix
from doorward.net.client import Client as HttpClient
from doorward.proxy.http_authority import HttpAuthority
from doorward.proxy.routing import Routes
from proxy.engine.stage import Stage, eventually, get
from proxy.engine.test_toll import dated
from proxy.engine.tls import router


def table(stage: Stage, count: int) -> messages.RoutingTable:
    """As it comes from the control process."""
    auth = messages.ForwardAuth("auth@file", "http://127.0.0.1:1/verify", auth_response_headers=("X-User",))
    safe = messages.Headers("safe@file", custom_response_headers=(("X-Frame-Options", "DENY"),))
    open_ones = router("open", PathPrefix("/"), tls=False, middlewares=(safe,))
    many = (
        router(
            f"r{number}",
            All((Host(f"h{number}.example.test"), PathPrefix("/some"))),
            tls=False,
            middlewares=(auth, safe),
            priority=2,
        )
        for number in range(count)
    )
    made = messages.RoutingTable(
        routers=(*many, open_ones),
        services={"app@file": messages.LoadBalancer("app@file", (messages.Server(stage.application.url),))},
    )
    return msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=messages.RoutingTable)


def routes(stage: Stage, count: int) -> Routes:
    client = HttpClient()

    class Workshop:
        def authority(self, middleware: messages.ForwardAuth) -> HttpAuthority:
            return HttpAuthority(client, middleware)

        def service(self, service: messages.Service, part: Callable[[str], object]) -> object:
            return stage.factory.service(service, part)

    return Routes.build(table(stage, count), Workshop())


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Only what nobody refers to goes."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def test_the_old_table_goes_at_once(stage: Stage, uncollected: None) -> None:
    """Also where it was used, by connections that stay and by the express lane, and with nothing asked afterwards."""
    stage.application.handler = dated
    old = routes(stage, 10)
    gone = weakref.ref(old)
    await stage.start(old)
    stage.engine.use(old)
    client = await stage.client()
    for _ in range(6):
        assert (await client.ask(get(b"/1"))).status == 200
    new = routes(stage, 10)

    stage.engine.use(new)
    del old

    await eventually(lambda: gone() is None)
    assert (await client.ask(get(b"/1"))).status == 200


async def test_a_request_under_way_keeps_its_routes_until_it_is_over(stage: Stage) -> None:
    """And no longer."""
    stage.application.handler = dated
    await stage.start(first := routes(stage, 1))
    stage.engine.use(first)
    old = first.at("web", tls=False)[-1]
    middleware = weakref.ref(old.middlewares[0])
    client = await stage.client()
    await client.send(get(b"/pieces"))
    await client.reader.readuntil(b"abc")

    stage.engine.use(routes(stage, 1))
    del first, old
    gc.collect()
    assert middleware() is not None

    client.cut()
    await eventually(lambda: not any(stage.engine.open_connections.values()))
    await eventually(lambda: gc.collect() >= 0 and middleware() is None)


async def test_the_collector_does_not_walk_through_the_routers(stage: Stage) -> None:
    """A thousand routers more are no work for it: nothing of them can be part of a cycle."""

    def walked(count: int) -> int:
        gc.collect()
        before = len(gc.get_objects())
        made = routes(stage, count)
        gc.collect()
        gc.collect()
        after = len(gc.get_objects())
        assert made.has("web", tls=False)
        return after - before

    few, many = walked(10), walked(1010)

    assert many - few < 100
