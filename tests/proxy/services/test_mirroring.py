"""Copies of requests: sent after the answer, thrown away, bounded, and never anybody's delay."""

from __future__ import annotations

import asyncio

import pytest

from doorward.messages.routing import Failover, Mirror, Mirroring, Server, Service
from doorward.proxy.services import mirror_client, mirroring
from proxy.engine.application import Conversation, Recorded
from proxy.engine.stage import Client, eventually, get
from proxy.engine.test_websockets import HANDSHAKE, echo_server
from proxy.services.fleet import NOBODY, Fleet, balancer, dies, hangs, post, says

CHUNKED = b"POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


async def mirrored(fleet: Fleet, percent: int = 100, **options: object) -> Client:
    """``main`` answers, ``copy`` gets copies."""
    if "main" not in fleet.apps:
        await fleet.app("main")
    if "copy" not in fleet.apps:
        await fleet.app("copy")
    main, copy = (balancer(f"{name}@file", Server(fleet.apps[name].url)) for name in ("main", "copy"))
    service = Mirroring("seen@file", "main@file", (Mirror("copy@file", percent),), **options)  # type: ignore[arg-type]
    return await fleet.serve(service, main, copy)


def running(fleet: Fleet) -> mirroring.Mirroring:
    (side,) = fleet.engine._surroundings.routes._sides.values()
    found = side.unknown.tests[0][1].service
    assert isinstance(found, mirroring.Mirroring)
    return found


@pytest.mark.parametrize(
    ("request_bytes", "body"),
    [(get(b"/x?y", b"X-A: 1"), b""), (post(b"hello", b"/x?y"), b"hello"), (CHUNKED, b"abcde")],
)
async def test_a_copy_is_the_same_request(fleet: Fleet, request_bytes: bytes, body: bytes) -> None:
    """Method, target, fields and body; how the body is framed is the connection's affair."""
    client = await mirrored(fleet)

    assert (await client.ask(request_bytes)).body == b"main"
    await eventually(lambda: fleet.apps["copy"].requests)

    (original,), (copy,) = fleet.apps["main"].requests, fleet.apps["copy"].requests
    assert (copy.method, copy.target, copy.body) == (original.method, original.target, original.body)
    assert copy.body == body
    framing = (b"content-length", b"transfer-encoding")
    assert [pair for pair in copy.headers if pair[0].lower() not in framing] == [
        pair for pair in original.headers if pair[0].lower() not in framing
    ]


async def test_nobody_hears_of_copies(fleet: Fleet) -> None:
    """They are in neither log nor metrics, and a mirror's error is nobody's."""
    await fleet.app("copy", says("copy", 500))
    client = await mirrored(fleet)

    for _ in range(3):
        assert (await client.ask(get())).status == 200
    await eventually(lambda: len(fleet.apps["copy"].requests) == 3)

    counted = fleet.metrics.collect()
    requests = {series: count for series, count in counted.items() if "service_requests_total" in series}
    assert list(requests.values()) == [3.0]
    assert 'service="main@file"' in next(iter(requests))


@pytest.mark.parametrize("percent", [0, 1, 10, 33, 50, 99, 100])
async def test_percentages_are_kept(fleet: Fleet, percent: int) -> None:
    """Of a hundred requests exactly so many, spread."""
    client = await mirrored(fleet, percent)

    for _ in range(100):
        await client.ask(get())
    await eventually(lambda: running(fleet)._at_work == 0)
    await asyncio.sleep(0.02)

    assert len(fleet.apps["copy"].requests) == percent


@pytest.mark.parametrize("handler", [hangs, dies])
async def test_a_bad_mirror_delays_nobody(fleet: Fleet, handler: object) -> None:
    """A mirror that hangs or dies: the answers come as ever, and its end leaves nothing behind."""
    await fleet.app("copy", handler)  # type: ignore[arg-type]
    client = await mirrored(fleet)
    started = asyncio.get_running_loop().time()

    for _ in range(20):
        assert (await client.ask(post(b"x"))).body == b"main"

    assert asyncio.get_running_loop().time() - started < 2
    await eventually(lambda: len(fleet.apps["copy"].requests) == 20)


async def test_the_answer_comes_first(fleet: Fleet) -> None:
    """Not before it is complete does the copy go out."""
    order: list[str] = []

    async def main(request: Recorded, conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nma")
        await asyncio.sleep(0.05)
        order.append("main")
        await conversation.send(b"in")

    async def copy(request: Recorded, conversation: Conversation) -> bytes | None:
        order.append("copy")
        return b"HTTP/1.1 204 No Content\r\n\r\n"

    await fleet.app("main", main)
    await fleet.app("copy", copy)
    client = await mirrored(fleet)

    await client.ask(get())
    await eventually(lambda: len(order) == 2)

    assert order == ["main", "copy"]


async def test_a_refusing_mirror_is_forgotten(fleet: Fleet) -> None:
    """The same where nobody listens."""
    main, copy = balancer("main@file", await fleet.app("main")), balancer("copy@file", Server(NOBODY))
    client = await fleet.serve(Mirroring("seen@file", "main@file", (Mirror("copy@file", 100),)), main, copy)

    assert (await client.ask(post(b"x"))).body == b"main"
    await eventually(lambda: running(fleet)._at_work == 0)


async def test_without_bodies(fleet: Fleet) -> None:
    """``mirrorBody: false``: the copy has none."""
    client = await mirrored(fleet, mirror_body=False)

    await client.ask(post(b"hello"))
    await eventually(lambda: fleet.apps["copy"].requests)

    assert fleet.apps["main"].requests[0].body == b"hello"
    copy = fleet.apps["copy"].requests[0]
    assert (copy.method, copy.body, copy.values(b"content-length")) == (b"POST", b"", [b"0"])


@pytest.mark.parametrize("request_bytes", [post(b"12345"), CHUNKED])
async def test_large_bodies_are_not_mirrored(fleet: Fleet, request_bytes: bytes) -> None:
    """Above ``maxBodySize`` the request is answered as ever and not copied; at the limit it is."""
    client = await mirrored(fleet, max_body_size=4)

    assert (await client.ask(request_bytes)).body == b"main"
    assert (await client.ask(post(b"1234", b"/fits"))).body == b"main"
    await eventually(lambda: fleet.apps["copy"].requests)

    assert [request.target for request in fleet.apps["copy"].requests] == [b"/fits"]
    assert running(fleet)._budget.left == mirroring.MAX_HELD


async def test_memory_is_bounded(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies that wait for mirrors have a budget: what does not fit is not mirrored, and it is given back."""
    monkeypatch.setattr(mirroring, "MAX_HELD", 10_000)
    await fleet.app("copy", hangs)
    client = await mirrored(fleet)

    for _ in range(5):
        assert (await client.ask(post(b"x" * 3000))).body == b"main"
    await eventually(lambda: len(fleet.apps["copy"].requests) == 3)

    assert running(fleet)._budget.left == 1000
    for task in fleet.apps["copy"]._tasks:
        task.cancel()
    await eventually(lambda: running(fleet)._budget.left == 10_000)


async def test_copies_at_work_are_bounded(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror that is too slow misses requests, which is logged, and recovers."""
    monkeypatch.setattr(mirroring, "MAX_AT_WORK", 3)
    monkeypatch.setattr(mirror_client, "TIMEOUT", 0.3)
    await fleet.app("copy", hangs)
    client = await mirrored(fleet)

    for _ in range(8):
        await client.ask(get())
    await eventually(lambda: len(fleet.apps["copy"].requests) == 3)

    await eventually(lambda: running(fleet)._at_work == 0)
    await eventually(lambda: fleet.apps["copy"].open == 0)
    await client.ask(get())
    await eventually(lambda: len(fleet.apps["copy"].requests) == 4)


async def test_a_long_answer_of_a_mirror_is_cut(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads it to its end."""
    monkeypatch.setattr(mirror_client, "MAX_ANSWER", 1000)

    async def endless(request: Recorded, conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            await conversation.send(b"x" * 65536)

    await fleet.app("copy", endless)
    client = await mirrored(fleet)

    await client.ask(get())
    await eventually(lambda: fleet.apps["copy"].requests)
    await eventually(lambda: fleet.apps["copy"].open == 0)

    assert running(fleet)._at_work == 0


async def test_a_short_answer_keeps_the_connection(fleet: Fleet) -> None:
    """Mirrors are asked over kept connections."""
    client = await mirrored(fleet)

    for number in range(5):
        await client.ask(get())
        await eventually(lambda: len(fleet.apps["copy"].requests) == number + 1)  # noqa: B023 - awaited at once

    assert fleet.apps["copy"].connections == 1


async def test_a_client_that_leaves_is_not_mirrored(fleet: Fleet) -> None:
    """Nor is an upload that breaks off."""
    await fleet.app("main", hangs)
    client = await mirrored(fleet)
    await client.send(post(b"hello"))
    await eventually(lambda: fleet.apps["main"].requests)

    client.cut()
    await eventually(lambda: fleet.apps["main"].open == 0)
    await asyncio.sleep(0.02)

    assert fleet.apps["copy"].requests == []
    assert running(fleet)._budget.left == mirroring.MAX_HELD


async def test_a_websocket_is_not_mirrored(fleet: Fleet) -> None:
    """There is no copy of a conversation."""
    await fleet.app("main", echo_server)
    client = await mirrored(fleet)

    assert (await client.ask(get(b"/ws", *HANDSHAKE))).status == 101
    client.cut()
    await asyncio.sleep(0.05)

    assert fleet.apps["copy"].requests == []


async def test_mirrors_of_a_failover(fleet: Fleet) -> None:
    """The body that the failover kept is what the mirror gets; two mirrors get one each."""
    services: list[Service] = [
        balancer("a@file", await fleet.app("a", says("a", 500))),
        balancer("b@file", await fleet.app("b")),
        balancer("m@file", await fleet.app("m")),
        balancer("n@file", await fleet.app("n")),
        Failover("f@file", "a@file", "b@file", ((500, 500),)),
    ]
    mirrors = (Mirror("m@file", 100), Mirror("n@file", 100))
    client = await fleet.serve(Mirroring("seen@file", "f@file", mirrors), *services)

    assert (await client.ask(post(b"hello"))).body == b"b"
    await eventually(lambda: fleet.apps["m"].requests and fleet.apps["n"].requests)

    assert [app.requests[0].body for app in fleet.apps.values()] == [b"hello"] * 4
    await eventually(lambda: running(fleet)._budget.left == mirroring.MAX_HELD)


async def test_mirroring_in_mirroring(fleet: Fleet) -> None:
    """Each sends its own copies, bodies included."""
    services = [balancer(f"{name}@file", await fleet.app(name)) for name in "abc"]
    inner = Mirroring("inner@file", "a@file", (Mirror("b@file", 100),))
    client = await fleet.serve(Mirroring("outer@file", "inner@file", (Mirror("c@file", 100),)), inner, *services)

    assert (await client.ask(post(b"hello"))).body == b"a"
    await eventually(lambda: fleet.apps["b"].requests and fleet.apps["c"].requests)

    assert [app.requests[0].body for app in fleet.apps.values()] == [b"hello"] * 3
