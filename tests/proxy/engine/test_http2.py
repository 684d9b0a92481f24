"""HTTP/2 in front of the same routers and services: what a client asks and gets, over real sockets."""

from __future__ import annotations

import asyncio

import pytest

from proxy.engine.application import Conversation, Recorded
from proxy.engine.http2_client import http2_client
from proxy.engine.stage import HOST, Stage, eventually, get
from proxy.engine.tls import serve, table, tls_client, tls_of

BIG = bytes(range(256)) * 8192
"""2 MiB."""


async def test_prior_knowledge(stage: Stage) -> None:
    """A client that begins with the preface on a plain port is served by HTTP/2, and a second request as well."""
    await stage.start()
    client = await http2_client(stage)

    for path in (b"/a?b=c", b"/second"):
        reply = await client.get(path)
        assert (reply.status, bytes(reply.body)) == (200, path + b"\n")
        assert reply.values(b"content-length") == [b"%d" % len(reply.body)]
        assert reply.values(b"date")
    assert stage.application.connections == 1


async def test_the_preface_may_come_in_pieces(stage: Stage) -> None:
    """Byte by byte it means the same."""
    await stage.start()
    client = await stage.client()
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5):
        await client.send(bytes((byte,)))
        await asyncio.sleep(0)

    frame = await asyncio.wait_for(client.reader.readexactly(9), 5)
    assert frame[3] == 4, "our SETTINGS"


async def test_the_preface_is_no_later_request(stage: Stage) -> None:
    """After an HTTP/1 request, or over TLS without agreement, it is refused as the request that it is not."""
    await serve(stage, table())
    client = await tls_client(stage, "one.test")

    assert (await client.ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).status == 505


async def test_alpn(stage: Stage) -> None:
    """On TLS, HTTP/2 is what both prefer; a client of HTTP/1.1 gets that."""
    await serve(stage, table())

    reply = await (await http2_client(stage, "one.test")).get(host=b"one.test")
    assert reply.status == 200
    older = await tls_client(stage, "one.test")
    assert tls_of(older).selected_alpn_protocol() == "http/1.1"
    assert (await older.ask(get(host=b"one.test"))).status == 200


async def test_the_application_sees_the_same(stage: Stage) -> None:
    """The same forwarding fields as over HTTP/1, cookies in one field, no identity that the client made up."""
    # S-043, S-108
    await stage.start()
    client = await http2_client(stage)
    made_up = (b"x-authentik-username", b"root")
    await client.get(b"/", (b"cookie", b"a=1"), made_up, (b"cookie", b"b=2"), (b"x-up", b"1"))
    older = await stage.client()
    await older.ask(get(b"/", b"Cookie: a=1; b=2", b"X-Up: 1"))

    new, old = (
        {
            name.lower(): value
            for name, value in request.headers
            if name.lower() not in (b"x-forwarded-server", b"x-request-id")
        }
        for request in stage.application.requests
    )
    assert new == old
    assert new[b"cookie"] == b"a=1; b=2"


async def test_bodies_go_both_ways(stage: Stage) -> None:
    """Two megabytes up and down, with a stated length and without."""

    async def back(request: Recorded, conversation: Conversation) -> bytes | None:
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(request.body) + request.body)
        return None

    stage.application.handler = back
    await stage.start()
    client = await http2_client(stage)

    for fields in ((), ((b"content-length", b"%d" % len(BIG)),)):
        stream = client.ask(b"/up", *fields, method=b"POST", ended=False)
        await client.send(stream, BIG)
        reply = await client.reply(stream)
        assert (reply.status, bytes(reply.body)) == (200, BIG)


async def test_a_response_of_unknown_length(stage: Stage) -> None:
    """A chunked response ends where it ends."""

    async def chunked(request: Recorded, conversation: Conversation) -> bytes | None:
        await conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        await asyncio.sleep(0.05)
        return b"0\r\n\r\n"

    stage.application.handler = chunked
    await stage.start()
    client = await http2_client(stage)

    stream = client.ask()
    await eventually(lambda: client.replies[stream].body == b"hello")
    assert not client.replies[stream].ended.is_set()
    reply = await client.reply(stream)
    assert bytes(reply.body) == b"hello" and reply.reset is None


@pytest.mark.parametrize(
    ("method", "answer", "status"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", 200),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", 304),
        (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
    ],
)
async def test_responses_without_body(stage: Stage, method: bytes, answer: bytes, status: int) -> None:
    """The head ends the stream."""

    async def say(request: Recorded, conversation: Conversation) -> bytes:
        return answer

    stage.application.handler = say
    await stage.start()
    client = await http2_client(stage)

    reply = await client.reply(client.ask(method=method))
    assert (reply.status, bytes(reply.body), reply.reset) == (status, b"", None)
    if method == b"HEAD":
        assert reply.values(b"content-length") == [b"12"]


async def test_interim_responses_pass(stage: Stage) -> None:
    """103 before the answer, and 100 for a client that waits for it."""

    async def hints(request: Recorded, conversation: Conversation) -> bytes:
        return b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    stage.application.handler = hints
    await stage.start()
    client = await http2_client(stage)

    reply = await client.get()
    assert reply.status == 200
    assert [dict(fields)[b":status"] for fields in reply.interim] == [b"103"]


async def test_a_hundred_streams_at_once(stage: Stage) -> None:
    """All are answered, each with its own answer."""

    async def later(request: Recorded, conversation: Conversation) -> bytes:
        await asyncio.sleep(0.05)
        body = request.target * 100
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    stage.application.handler = later
    await stage.start()
    client = await http2_client(stage)
    streams = {client.ask(b"/%d" % number): b"/%d" % number for number in range(100)}

    for stream, path in streams.items():
        reply = await client.reply(stream)
        assert (reply.status, bytes(reply.body)) == (200, path * 100)


async def test_a_slow_reader_makes_the_server_wait(stage: Stage) -> None:
    """What the client does not take stays with the server, but for some kilobytes; another stream is not held up."""
    sent = 0

    async def much(request: Recorded, conversation: Conversation) -> bytes | None:
        nonlocal sent
        if request.target != b"/much":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (32 * len(BIG)))
        for _ in range(32):
            await conversation.send(BIG)
            sent += 1
        return None

    stage.application.handler = much
    await stage.start()
    client = await http2_client(stage, greedy=False)
    client.core.increment_flow_control_window(1 << 20)
    stream = client.ask(b"/much")
    reply = client.replies[stream]
    await eventually(lambda: len(reply.body) == 65535)
    await asyncio.sleep(0.2)
    assert sent < 8 and len(reply.body) == 65535
    assert bytes((await client.get(b"/other")).body) == b"ok"

    while len(reply.body) < 1 << 20:
        size = len(reply.body)
        client.take(stream, 65535)
        await eventually(lambda size=size: len(reply.body) > size)
    assert bytes(reply.body[: len(BIG)]) == BIG[: len(reply.body)]
    client.reset(stream)
    await eventually(lambda: stage.application.open <= 1)


async def test_a_slow_server_makes_the_client_wait(stage: Stage) -> None:
    """A body that the server does not read stops at the stream's window and what the sockets hold."""
    go_on = asyncio.Event()

    async def waits(request: Recorded, conversation: Conversation) -> bytes | None:
        await go_on.wait()
        return None

    stage.application.head_handler = waits
    await stage.start()
    client = await http2_client(stage)
    stream = client.ask(b"/slow", method=b"POST", ended=False)
    sending = asyncio.create_task(client.send(stream, BIG * 8))
    await asyncio.sleep(0.5)
    assert not sending.done()
    go_on.set()
    await asyncio.wait_for(sending, 10)

    assert (await client.reply(stream)).status == 200
    assert len(stage.application.requests[0].body) == len(BIG) * 8


async def test_a_reset_cancels_the_request(stage: Stage) -> None:
    """The server that works on it hears of it at once; the other streams go on."""  # S-036, S-904

    async def hangs(request: Recorded, conversation: Conversation) -> bytes | None:
        if request.target == b"/":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        await conversation.reader.read()
        conversation.cut()
        return None

    stage.application.handler = hangs
    await stage.start()
    client = await http2_client(stage)
    stream = client.ask(b"/hangs")
    await eventually(lambda: len(stage.application.requests) == 1)
    client.reset(stream)
    await eventually(lambda: stage.application.open == 0)

    assert (await client.get()).status == 200


async def test_a_server_that_dies_resets_the_stream(stage: Stage) -> None:
    """A response that was begun and cannot be completed is cut so that the client notices."""

    async def dies(request: Recorded, conversation: Conversation) -> bytes | None:
        if request.target == b"/":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        conversation.cut()
        return None

    stage.application.handler = dies
    await stage.start()
    client = await http2_client(stage)

    reply = await client.get(b"/dies")
    assert (reply.status, reply.reset) == (200, 2)
    assert (await client.get()).status == 200


async def test_an_answer_before_the_body_is_complete(stage: Stage) -> None:
    """The client gets the answer and is told to stop sending; the next request is not disturbed."""  # S-032

    async def early(request: Recorded, conversation: Conversation) -> bytes | None:
        if request.method == b"GET":
            return None
        return b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"

    stage.application.head_handler = early
    await stage.start()
    client = await http2_client(stage)
    stream = client.ask(b"/up", method=b"POST", ended=False)

    reply = await client.reply(stream)
    assert (reply.status, bytes(reply.body)) == (413, b"no")
    assert (await client.get()).status == 200


async def test_refusals_are_of_one_stream(stage: Stage) -> None:
    """CONNECT, TRACE and bad paths get their status, nothing reaches the application, the others go on."""
    # S-025, S-026
    await stage.start()
    client = await http2_client(stage)

    assert (await client.reply(client.ask(method=b"TRACE"))).status == 405
    assert (await client.get(b"/a/%2e%2e/%00")).status == 400
    assert (await client.reply(client.ask(method=b"CONNECT", protocol=b"connect-udp", ended=False))).status == 501
    assert stage.application.requests == []
    assert (await client.get(host=HOST)).status == 200
