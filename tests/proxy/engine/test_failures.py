"""What a client gets when the application fails, and that nobody gets somebody else's answer."""

from __future__ import annotations

import asyncio

import pytest

from doorward.messages import routing as messages
from doorward.proxy.routing import Route
from proxy.engine.application import Application, Conversation, Recorded
from proxy.engine.stage import OneRoute, Stage, eventually, get


async def test_no_route_is_404(stage: Stage) -> None:
    """The exact text that tools look for."""
    await stage.start(OneRoute(None))
    client = await stage.client()

    answer = await client.ask(get())

    assert (answer.status, answer.body) == (404, b"404 page not found\n")
    assert answer.values(b"content-type") == [b"text/plain; charset=utf-8"]
    assert answer.values(b"x-content-type-options") == [b"nosniff"]


async def test_browsers_get_a_page(stage: Stage) -> None:
    """Same status, readable text, nothing that a browser would load or run."""
    await stage.start(OneRoute(None))
    client = await stage.client()

    answer = await client.ask(get(b"/", b"Accept: text/html,*/*;q=0.8"))

    assert answer.status == 404
    assert answer.values(b"content-type") == [b"text/html; charset=utf-8"]
    assert b"There is no application at this address" in answer.body
    assert b"script" not in answer.body


async def test_a_broken_router_is_closed(stage: Stage) -> None:
    """503, and the reason is for the log only."""  # S-220
    await stage.start(OneRoute(Route("r@file", "", (), None, "s", broken="the middleware 'auth@file' does not exist")))
    client = await stage.client()

    answer = await client.ask(get())

    assert answer.status == 503
    assert b"auth@file" not in answer.raw + answer.body


async def test_no_server_is_503(stage: Stage) -> None:
    """A service without servers says so."""
    await stage.start(stage.routes(service=messages.LoadBalancer("empty@file", ())))
    client = await stage.client()

    answer = await client.ask(get())

    assert (answer.status, answer.body) == (503, b"no available server\n")


@pytest.mark.parametrize(
    "service",
    [messages.LoadBalancer("bad@file", (messages.Server("gopher://x"),)), messages.Internal("nothing@internal")],
)
async def test_a_service_that_cannot_run_is_closed(stage: Stage, service: messages.Service) -> None:
    """It does not keep the rest of the table from being used."""
    await stage.start(stage.routes(service=service))
    client = await stage.client()

    assert (await client.ask(get())).status == 503


async def test_a_refused_connection_is_502(stage: Stage) -> None:
    """``Bad Gateway``, without Content-Type."""
    dead = messages.LoadBalancer("dead@file", (messages.Server("http://127.0.0.1:1"),))
    await stage.start(stage.routes(service=dead))
    client = await stage.client()

    answer = await client.ask(get())

    assert (answer.status, answer.body, answer.values(b"content-type")) == (502, b"Bad Gateway", [])


async def test_a_late_answer_is_504(stage: Stage) -> None:
    """``responseHeaderTimeout`` ends the wait."""  # S-920

    async def never(request: Recorded, conversation: Conversation) -> bytes | None:
        await conversation.reader.read(1)
        return None

    stage.application.handler = never
    server = messages.Server(stage.application.url)
    slow = messages.LoadBalancer("slow@file", (server,), response_header_timeout=0.1)
    await stage.start(stage.routes(service=slow))
    client = await stage.client()

    answer = await client.ask(get())

    assert (answer.status, answer.body) == (504, b"Gateway Timeout")
    await eventually(lambda: stage.application.open == 0)


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\nX: y\n\n",
        b"HTTP/1.1 200 OK\r\nX: a\x00\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"",
    ],
)  # S-034
async def test_garbage_from_the_application_is_502(stage: Stage, garbage: bytes) -> None:
    """The connection that it came over is gone, and the next request gets its own answer."""

    async def once(request: Recorded, conversation: Conversation) -> bytes | None:
        if request.target != b"/bad":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
        if garbage:
            return garbage
        conversation.cut()
        return None

    stage.application.handler = once
    await stage.start()
    client = await stage.client()

    assert (await client.ask(get(b"/bad"))).status == 502
    assert (await client.ask(get(b"/ok"))).body == b"good"
    assert stage.application.connections == 2


async def test_a_bad_chunk_cuts_the_answer(stage: Stage) -> None:
    """When bytes already went out the client sees a cut, not a complete answer."""  # S-034

    async def bad_chunk(request: Recorded, conversation: Conversation) -> bytes:
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nXX\r\n"

    stage.application.handler = bad_chunk
    await stage.start()
    client = await stage.client()

    await client.send(get())

    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.answer()
    await eventually(lambda: stage.application.open == 0)


async def test_an_answer_cut_short_is_cut_short(stage: Stage) -> None:
    """The application dies in the middle of a sized body: the client's connection dies as well."""

    async def half(request: Recorded, conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        conversation.writer.close()

    stage.application.handler = half
    await stage.start()
    client = await stage.client()

    await client.send(get())
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.answer()


@pytest.mark.parametrize(
    ("request_bytes", "method"),
    [
        (b"HEAD /bad HTTP/1.1\r\nHost: a.test\r\n\r\n", b"HEAD"),
        (get(b"/bad?204"), b"GET"),
        (get(b"/bad?304"), b"GET"),
        (get(b"/bad?more"), b"GET"),
    ],
)
async def test_surplus_bytes_reach_nobody(stage: Stage, request_bytes: bytes, method: bytes) -> None:
    """A body where none may be, or bytes after the end: dropped, and the connection is not used again."""  # S-035
    surplus = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

    async def too_much(request: Recorded, conversation: Conversation) -> bytes:
        if not request.target.startswith(b"/bad"):
            return b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
        status = {b"/bad?204": b"204 No Content", b"/bad?304": b"304 Not Modified"}.get(request.target, b"200 OK")
        length = b"" if request.target == b"/bad?204" else b"Content-Length: 0\r\n"
        return b"HTTP/1.1 " + status + b"\r\n" + length + b"\r\n" + surplus

    stage.application.handler = too_much
    await stage.start()
    client, other = await stage.client(), await stage.client()

    await client.ask(request_bytes, method)

    assert (await other.ask(get(b"/ok"))).body == b"good"
    assert (await client.ask(get(b"/ok"))).body == b"good"


async def test_a_dead_kept_connection_is_replaced_once(stage: Stage) -> None:
    """A safe request that meets a connection the application has just dropped is sent again on a fresh one."""  # S-920
    drop = False

    async def drops(request: Recorded, conversation: Conversation) -> bytes | None:
        if drop and conversation.number == 1:
            conversation.cut()
            return None
        return b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % conversation.number

    stage.application.handler = drops
    await stage.start()
    client = await stage.client()
    await client.ask(get())
    drop = True

    assert (await client.ask(get())).body == b"2"


async def test_a_post_is_never_sent_twice(stage: Stage) -> None:
    """The same with a POST is a 502: it may have had its effect."""  # S-920
    drop = False

    async def drops(request: Recorded, conversation: Conversation) -> bytes | None:
        if drop:
            conversation.cut()
            return None
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    stage.application.handler = drops
    await stage.start()
    client = await stage.client()
    await client.ask(get())
    drop = True

    answer = await client.ask(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi")

    assert answer.status == 502
    assert [request.method for request in stage.application.requests] == [b"GET", b"POST"]


async def test_a_fresh_connection_that_dies_is_not_tried_again(stage: Stage) -> None:
    """One attempt on a fresh connection is all there is."""  # S-920

    async def cut(request: Recorded, conversation: Conversation) -> None:
        conversation.cut()

    stage.application.handler = cut
    await stage.start()
    client = await stage.client()

    assert (await client.ask(get())).status == 502
    assert stage.application.connections == 1


async def test_a_server_that_refuses_is_passed_over(stage: Stage) -> None:
    """With a second server that works nobody notices the dead one, not even a POST: nothing had been sent."""
    servers = (messages.Server("http://127.0.0.1:1"), messages.Server(stage.application.url))
    await stage.start(stage.routes(service=messages.LoadBalancer("two@file", servers)))
    client = await stage.client()

    for _ in range(4):
        answer = await client.ask(b"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi")
        assert answer.body == b"/p\nhi"


async def test_weights_are_kept(stage: Stage) -> None:
    """Of eight requests a server of weight 3 gets six, evenly spread."""
    heavy, light = stage.application, Application()
    await light.start()
    servers = (messages.Server(heavy.url, weight=3), messages.Server(light.url, weight=1))
    await stage.start(stage.routes(service=messages.LoadBalancer("two@file", servers)))
    client = await stage.client()

    for _ in range(8):
        await client.ask(get())

    assert (len(heavy.requests), len(light.requests)) == (6, 2)
    await light.stop()


async def test_leaving_clients_poison_nobody(stage: Stage) -> None:
    """Ten clients leave in the middle of their answers while another goes on: it only ever reads its own."""  # S-036

    async def slowly(request: Recorded, conversation: Conversation) -> None:
        name = request.target
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(name) * 4))
        for _ in range(4):
            await asyncio.sleep(0.01)
            await conversation.send(name)

    stage.application.handler = slowly
    await stage.start()
    steady = await stage.client()

    for number in range(10):
        leaver = await stage.client()
        await leaver.send(get(b"/leaver%d" % number))
        await leaver.reader.readuntil(b"\r\n\r\n")
        leaver.cut()
        assert (await steady.ask(get(b"/steady%d" % number))).body == b"/steady%d" % number * 4
    await eventually(lambda: stage.application.open <= 1)


async def test_two_users_never_mix(stage: Stage) -> None:
    """Thousands of interleaved requests of two users over shared connections: each answer is its own."""  # S-327

    async def jittery(request: Recorded, conversation: Conversation) -> bytes:
        if len(stage.application.requests) % 7 == 0:
            await asyncio.sleep(0.001)
        who = request.values(b"x-user")[0]
        return b"HTTP/1.1 200 OK\r\nX-User: %b\r\nContent-Length: %d\r\n\r\n%b" % (
            who,
            len(request.target),
            request.target,
        )

    stage.application.handler = jittery
    await stage.start()

    async def user(name: bytes, count: int) -> None:
        client = await stage.client()
        for number in range(count):
            target = b"/%b/%d" % (name, number)
            answer = await client.ask(get(target, b"X-User: " + name))
            assert (answer.values(b"x-user"), answer.body) == ([name], target)

    await asyncio.gather(*(user(name, 250) for name in (b"akadmin", b"bob") for _ in range(4)))
    assert stage.application.connections <= 8


async def test_a_crash_stays_in_its_request(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """A middleware that raises is a 500 for one request; the connection and the process go on."""  # S-922

    class Crashing:
        def enter(self, request: object) -> None:
            raise RuntimeError("secret detail")

        def leave(self, request: object, response: object) -> None: ...

    await stage.start(stage.routes(Crashing()))
    client = await stage.client()

    for _ in range(2):
        answer = await client.ask(get())
        assert (answer.status, answer.body) == (500, b"Internal Server Error\n")
    assert "request.crashed" in caplog.text
