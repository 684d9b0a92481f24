"""Servers of HTTP/2 that refuse, leave, break off or stall: what is sent again, and what must not be (S-920)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from doorward.messages.routing import Failover
from proxy.engine.http2_client import http2_client
from proxy.engine.stage import eventually, get
from proxy.services.fleet import Fleet, balancer, post
from proxy.services.http2_application import Asked, Handler, Http2Application, echo

CANCEL, INTERNAL_ERROR, REFUSED = 8, 2, 7


@pytest_asyncio.fixture
async def app(fleet: Fleet) -> AsyncIterator[Http2Application]:
    app = Http2Application()
    yield app
    await app.stop()


def at_first(count: int, first: Handler) -> Handler:
    """``first`` for the first ``count`` requests, then the echo."""
    left = count

    async def handler(asked: Asked) -> None:
        nonlocal left
        left -= 1
        await (first if left >= 0 else echo)(asked)

    return handler


async def refuses(asked: Asked) -> None:
    asked.refuse(REFUSED)


async def refuses_the_whole(asked: Asked) -> None:
    await asked.complete()
    asked.refuse(REFUSED)


async def leaves(asked: Asked) -> None:
    """GOAWAY: this stream was not looked at."""
    asked.connection.leave(max(0, asked.stream - 2))


async def dies(asked: Asked) -> None:
    asked.connection.cut()


# --- refused: nothing has happened ---


@pytest.mark.parametrize("refusal", [refuses, refuses_the_whole, leaves])
async def test_what_was_not_looked_at_is_sent_again(fleet: Fleet, app: Http2Application, refusal: Handler) -> None:
    """Whatever its method, with its body as far as that is short."""
    app.handler = at_first(1, refusal)
    client = await fleet.serve(balancer("s@file", await app.start()))

    answer = await client.ask(post(b"body", b"/order"), b"POST")

    assert (answer.status, answer.body) == (200, b"/order\nbody")
    assert len(app.asked) == 2


async def test_a_long_body_is_not_kept(fleet: Fleet, app: Http2Application) -> None:
    """What is gone cannot be sent again: 502."""
    app.handler = at_first(1, refuses_the_whole)
    client = await fleet.serve(balancer("s@file", await app.start()))

    assert (await client.ask(post(b"x" * 20000), b"POST")).status == 502
    assert len(app.asked) == 1


async def test_a_body_that_somebody_keeps_is_sent_again(fleet: Fleet, app: Http2Application) -> None:
    """A failover with ``errors`` has it whole."""
    app.handler = at_first(1, refuses_the_whole)
    first = balancer("first@file", await app.start())
    spare = balancer("spare@file", await fleet.app("spare"))
    safe = Failover("safe@file", "first@file", "spare@file", statuses=((500, 599),), health_check=False)
    client = await fleet.serve(safe, first, spare)

    answer = await client.ask(post(b"x" * 20000), b"POST")

    assert (answer.status, len(answer.body)) == (200, 20002)


async def test_nobody_is_asked_for_ever(fleet: Fleet, app: Http2Application) -> None:
    """Four times in all, then it is 502."""
    app.handler = refuses
    client = await fleet.serve(balancer("s@file", await app.start()))

    assert (await client.ask(get())).status == 502
    assert len(app.asked) == 4


async def test_a_server_that_leaves_finishes_what_it_has(fleet: Fleet, app: Http2Application) -> None:
    """GOAWAY loses no request: those it took are answered, those it did not go over a new connection."""
    gate = asyncio.Event()

    async def waits(asked: Asked) -> None:
        await gate.wait()
        await echo(asked)

    app.handler = waits
    await fleet.serve(balancer("s@file", await app.start()))
    client = await http2_client(fleet)
    streams = [client.ask(b"/%d" % number) for number in range(20)]
    await eventually(lambda: len(app.asked) == 20, 10)
    app.connections[0].leave(19)
    await eventually(lambda: len(app.asked) == 30, 10)
    gate.set()

    replies = [await client.reply(stream) for stream in streams]

    assert [bytes(reply.body) for reply in replies] == [b"/%d\n" % number for number in range(20)]
    await eventually(lambda: app.connections[0].closed, 10)


# --- lost: something may have happened ---


@pytest.mark.parametrize(("method", "times"), [(b"GET", 2), (b"PATCH", 1)])
async def test_a_connection_that_dies(fleet: Fleet, app: Http2Application, method: bytes, times: int) -> None:
    """One that was used before and ends before the answer began: again, once, if that is harmless."""
    client = await fleet.serve(balancer("s@file", await app.start()))
    await client.ask(get())
    app.asked.clear()
    app.handler = at_first(1, dies)

    answer = await client.ask(method + get()[3:], method)

    assert answer.status == (200 if times == 2 else 502)
    assert len(app.asked) == times


async def test_a_request_with_a_body_is_not_repeated(fleet: Fleet, app: Http2Application) -> None:
    """Not even a PUT: its body is gone."""
    client = await fleet.serve(balancer("s@file", await app.start()))
    await client.ask(get())
    app.asked.clear()
    app.handler = at_first(1, dies)

    assert (await client.ask(post(b"x", method=b"PUT"), b"PUT")).status == 502
    assert len(app.asked) == 1


async def test_once_is_enough(fleet: Fleet, app: Http2Application) -> None:
    """A server that dies of it is not fed it again and again."""
    client = await fleet.serve(balancer("s@file", await app.start()))
    await client.ask(get())
    app.asked.clear()
    app.handler = dies

    assert (await client.ask(get())).status == 502
    assert len(app.asked) == 2


async def test_all_who_wait_hear_of_it(fleet: Fleet, app: Http2Application) -> None:
    """One connection ends and takes all its requests with it, each as it must."""

    async def hangs(asked: Asked) -> None:
        if asked.path == b"/half":
            asked.respond()
            await asked.send(b"half")

    app.handler = hangs
    await fleet.serve(balancer("s@file", await app.start()))
    client = await http2_client(fleet)
    half = client.ask(b"/half")
    orders = [client.ask(b"/order", method=b"POST") for _ in range(3)]
    await eventually(lambda: len(app.asked) == 4 and client.replies[half].body == b"half", 10)

    app.connections[0].cut()

    assert (await client.reply(half)).reset == INTERNAL_ERROR
    assert [(await client.reply(order)).status for order in orders] == [502] * 3
    app.handler = echo
    assert (await client.get()).status == 200


@pytest.mark.parametrize("code", [CANCEL, INTERNAL_ERROR, 0xABCD])
async def test_a_server_that_gives_one_up(fleet: Fleet, app: Http2Application, code: int) -> None:
    """After it may have done something: 502 for that one, and the connection goes on."""

    async def gives_up(asked: Asked) -> None:
        asked.refuse(code)

    app.handler = at_first(1, gives_up)
    client = await fleet.serve(balancer("s@file", await app.start()))

    assert (await client.ask(get())).status == 502
    assert (await client.ask(get())).status == 200
    assert len(app.connections) == 1
    assert len(app.asked) == 2


async def test_an_answer_that_breaks_off(fleet: Fleet, app: Http2Application) -> None:
    """The client of HTTP/1.1 sees that it was cut."""

    async def breaks_off(asked: Asked) -> None:
        asked.respond()
        await asked.send(b"half")
        asked.refuse(CANCEL)

    app.handler = breaks_off
    client = await fleet.serve(balancer("s@file", await app.start()))

    await client.send(get())

    assert not (await client.rest()).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("length", [b"3", b"9"])
async def test_an_answer_of_another_length_than_it_says(fleet: Fleet, app: Http2Application, length: bytes) -> None:
    """It is broken, and the others on the connection are not (S-034)."""

    async def lies(asked: Asked) -> None:
        asked.connection.core.config.validate_outbound_headers = False
        asked.respond(200, (b"content-length", length))
        await asked.send(b"12345", ended=True)

    app.handler = at_first(1, lies)
    await fleet.serve(balancer("s@file", await app.start()))
    client = await http2_client(fleet)

    assert (await client.reply(client.ask())).reset is not None
    assert (await client.get()).status == 200
    assert len(app.connections) == 1


async def test_nobody_answers(fleet: Fleet, app: Http2Application) -> None:
    """``responseHeaderTimeout``: 504, and the server is told to stop."""

    async def hangs(asked: Asked) -> None:
        await asked.complete()

    app.handler = hangs
    client = await fleet.serve(balancer("s@file", await app.start(), response_header_timeout=0.1))

    assert (await client.ask(get())).status == 504
    await eventually(lambda: app.asked[0].reset == CANCEL, 10)


# --- the pace of either side ---


async def test_a_client_that_leaves(fleet: Fleet, app: Http2Application) -> None:
    """The server is told, and its connection serves the next one."""

    async def streams(asked: Asked) -> None:
        asked.respond()
        while asked.reset is None:
            await asked.send(b"x" * 1000)
            await asyncio.sleep(0.001)

    app.handler = at_first(1, streams)
    leaver = await fleet.serve(balancer("s@file", await app.start()))
    await leaver.send(get())
    await eventually(lambda: bool(app.asked), 10)

    leaver.cut()

    await eventually(lambda: app.asked[0].reset == CANCEL, 10)
    assert (await (await fleet.client()).ask(get())).status == 200
    assert len(app.connections) == 1


async def test_a_slow_client_holds_up_nobody_else(fleet: Fleet, app: Http2Application) -> None:
    """Its server must wait once a window of 64 KiB is full, others on the same connection have theirs."""
    sent: dict[bytes, int] = {}

    async def streams(asked: Asked) -> None:
        asked.respond()
        for _ in range(40):
            await asked.send(b"x" * 16384)
            sent[asked.path] = sent.get(asked.path, 0) + 16384
        asked.connection.core.end_stream(asked.stream)
        asked.connection.flush()

    app.handler = streams
    await fleet.serve(balancer("s@file", await app.start()))
    slow = await http2_client(fleet, greedy=False)
    stalled = [slow.ask(b"/slow%d" % number) for number in range(30)]
    await eventually(lambda: len(sent) == 30, 10)

    for _ in range(3):
        reply = await (client := await http2_client(fleet)).get(b"/quick")
        assert len(reply.body) == 40 * 16384
        client.cut()

    assert max(size for path, size in sent.items() if path != b"/quick") <= 64 * 1024 + 65536
    assert len(app.connections) == 1
    for stream in stalled:
        slow.reset(stream)
    await eventually(lambda: all(asked.reset == CANCEL for asked in app.asked if asked.path != b"/quick"), 10)


async def test_a_slow_server_makes_the_client_wait(fleet: Fleet, app: Http2Application) -> None:
    """It gets what its windows allow and no more is taken from the client than fits on the way."""
    app.greedy = False
    await fleet.serve(balancer("s@file", await app.start()))
    client = await http2_client(fleet)
    body = bytes(range(256)) * 4096
    stream = client.ask(b"/up", method=b"POST", ended=False)
    sending = asyncio.create_task(client.send(stream, body))
    # Nothing moves until the server takes something: the client has sent two windows at most.
    await eventually(lambda: len(app.asked) == 1 and len(app.asked[0].body) == 65535, 10)
    await eventually(lambda: client.core.local_flow_control_window(stream) == 0, 10)
    assert not sending.done()

    asked, taken = app.asked[0], 0
    while not asked.ended.is_set():
        await asked.moved.wait()
        asked.moved.clear()
        asked.connection.take(stream=asked.stream, size=len(asked.body) - taken)
        taken = len(asked.body)

    await sending
    assert bytes((await client.reply(stream)).body) == b"/up\n" + body
