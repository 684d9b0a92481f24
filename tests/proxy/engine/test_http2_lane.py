"""The express lane under HTTP/2: streams that are like earlier ones are answered the same, however many at once."""

from __future__ import annotations

import re

from proxy.engine.application import Conversation, Recorded
from proxy.engine.http2_client import http2_client
from proxy.engine.stage import Stage
from proxy.engine.tls import router, routes_of, serve, table

DATE = b"Date: Wed, 25 Nov 2026 12:00:00 GMT\r\n"


def rides(stage: Stage) -> int:
    """How many responses rides gave by themselves."""
    return sum(server.lane.taken for server in stage.engine._servers.values())


async def answer(request: Recorded, conversation: Conversation) -> bytes | None:
    """As long as the path says, dated, and sometimes in two pieces."""
    size = int(request.target.partition(b"/")[2].partition(b"?")[0] or 5)
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (DATE, size, b"x" * size)


async def started(stage: Stage) -> None:
    stage.application.handler = answer
    await serve(stage, table(router("all", tls=False)))


async def test_repeated_streams_ride_and_nobody_sees_it(stage: Stage) -> None:
    """The application gets the same head each time but for the request's own name and what the client varied."""
    await started(stage)
    client = await http2_client(stage)

    replies = [await client.get(b"/5?n=%d" % n, (b"cookie", b"n=%d" % n), (b"x-trace", b"t%d" % n)) for n in range(8)]

    assert rides(stage) >= 4
    assert {(reply.status, bytes(reply.body), tuple(reply.headers)) for reply in replies} == {
        (200, b"xxxxx", tuple(replies[0].headers))
    }
    heads = [request.raw_head for request in stage.application.requests]
    varying = re.compile(rb"(?<=n=)[0-9]+|(?<=: t)[0-9]+|(?<=X-Request-Id: )[0-9a-f]+")
    assert len({varying.sub(b"", head) for head in heads}) == 1
    assert [b"x-trace: t%d\r\n" % n in head and b"cookie: n=%d\r\n" % n in head for n, head in enumerate(heads)] == [
        True
    ] * 8


async def test_the_very_same_head_rides_until_the_routes_change(stage: Stage) -> None:
    """What it led to under one routing table is nothing that another one has to keep to."""
    await started(stage)
    client = await http2_client(stage)
    same = [await client.get(b"/5", (b"cookie", b"a=1")) for _ in range(8)]
    assert {reply.status for reply in same} == {200}
    assert rides(stage) >= 4
    ridden = rides(stage)

    stage.engine.use(routes_of(stage, table()))

    assert (await client.get(b"/5", (b"cookie", b"a=1"))).status == 404
    assert rides(stage) == ridden


async def test_many_streams_ride_at_once(stage: Stage) -> None:
    """Each gets its own answer."""
    await started(stage)
    client = await http2_client(stage)
    for _ in range(3):
        await client.get(b"/5")
    for _ in range(3):
        asked = [client.ask(b"/%d" % size) for size in range(1, 30)]

        assert [len((await client.reply(stream)).body) for stream in asked] == list(range(1, 30))

    assert rides(stage) >= 20


async def test_a_response_larger_than_the_window_waits(stage: Stage) -> None:
    """What was begun on the lane is held back like everything else."""
    await started(stage)
    client = await http2_client(stage, greedy=False)
    for _ in range(5):
        await client.get(b"/5")
    first = await client.reply(client.ask(b"/5"))
    assert len(first.body) == 5
    stream = client.ask(b"/70000")
    reply = client.replies[stream]
    await client.get(b"/0")
    assert not reply.ended.is_set()

    client.take(stream, 60000)

    assert len((await client.reply(stream)).body) == 70000


async def test_a_server_is_not_held_up_by_a_client_that_has_its_response_already(stage: Stage) -> None:
    """The response is here, the client's window is shut, and the server's connection is used by others meanwhile."""
    await started(stage)
    client = await http2_client(stage, greedy=False)
    other = await http2_client(stage)
    for _ in range(5):
        await client.get(b"/5")
    first, second = client.ask(b"/60000"), 0
    await client.reply(first)
    second = client.ask(b"/9999")

    assert [(await other.get(b"/%d" % size)).status for size in range(6, 16)] == [200] * 10

    client.take(first, 60000)
    client.take(second, 5535)
    assert len((await client.reply(second)).body) == 9999


async def test_a_stream_that_is_reset_on_the_way_leaves_the_lane(stage: Stage) -> None:
    """The server's connection goes with it, and the next stream is answered (S-036)."""
    await started(stage)
    client = await http2_client(stage)
    for _ in range(5):
        await client.get(b"/5")
    client.reset(client.ask(b"/5"))

    assert (await client.get(b"/5")).status == 200
