"""Servers that speak HTTP/2: what they are asked, what becomes of their answers, and how connections are shared."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from doorward.messages.routing import ClientTls, Server
from doorward.wire.websocket import accept_value
from net.certificates import self_signed
from proxy.engine.application import Application, Conversation, Recorded
from proxy.engine.http2_client import http2_client
from proxy.engine.stage import HOST, eventually, get
from proxy.services.fleet import Fleet, balancer, post, says
from proxy.services.http2_application import Asked, Http2Application

PAIR = self_signed("app.test")
TRUST = ClientTls(ca_pem=PAIR.chain_pem, server_name="app.test")
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: " + KEY)


@pytest_asyncio.fixture
async def app(fleet: Fleet) -> AsyncIterator[Http2Application]:
    app = Http2Application()
    yield app
    await app.stop()


def tls(folder: Path, *protocols: str) -> ssl.SSLContext:
    """A server's context that offers ``protocols``."""
    path = folder / "server.pem"
    path.write_text(PAIR.chain_pem + PAIR.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.set_alpn_protocols(protocols)
    return context


# --- what is asked ---


async def test_a_request_over_h2c(fleet: Fleet, app: Http2Application) -> None:
    """A client of HTTP/1.1 gets what an application of HTTP/2 answers."""
    client = await fleet.serve(balancer("s@file", await app.start()))

    answer = await client.ask(get(b"/x?y=1", b"X-A: b", b"Connection: X-A2", b"X-A2: no"))

    assert (answer.status, answer.body) == (200, b"/x?y=1\n")
    (asked,) = app.asked
    assert asked.headers[:4] == [
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b":authority", HOST),
        (b":path", b"/x?y=1"),
    ]
    assert asked.values(b"x-a") == [b"b"]
    assert asked.values(b"x-forwarded-proto") == [b"http"]
    assert not {b"host", b"te", b"connection", b"x-a2"} & {name for name, _ in asked.headers}


async def test_the_servers_own_name(fleet: Fleet, app: Http2Application) -> None:
    """``passHostHeader: false``: it is asked for what its URL says."""
    client = await fleet.serve(balancer("s@file", await app.start(), pass_host_header=False))

    await client.ask(get())

    assert app.asked[0].values(b":authority") == [b"127.0.0.1:%d" % app.port]


async def test_a_body_goes_through(fleet: Fleet, app: Http2Application) -> None:
    """A megabyte each way: more than any window."""
    client = await fleet.serve(balancer("s@file", await app.start()))
    body = bytes(range(256)) * 4096

    answer = await client.ask(post(body, b"/up"), b"POST")

    assert answer.body == b"/up\n" + body
    assert app.asked[0].values(b"content-length") == [b"%d" % len(body)]


async def test_a_body_of_unknown_length(fleet: Fleet, app: Http2Application) -> None:
    """Chunks become frames; nothing says how many."""
    client = await fleet.serve(balancer("s@file", await app.start()))

    answer = await client.ask(
        b"PUT / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"PUT"
    )

    assert answer.body == b"/\nabcde"
    assert not app.asked[0].values(b"content-length") and not app.asked[0].values(b"transfer-encoding")


async def test_interim_answers(fleet: Fleet, app: Http2Application) -> None:
    """100 invites the body, 103 passes."""

    async def invites(asked: Asked) -> None:
        asked.connection.core.send_headers(asked.stream, [(b":status", b"103"), (b"link", b"</a.css>")])
        asked.connection.core.send_headers(asked.stream, [(b":status", b"100")])
        asked.connection.flush()
        await asked.complete()
        asked.respond(ended=True)

    app.handler = invites
    client = await fleet.serve(balancer("s@file", await app.start()))
    await client.send(
        b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    )

    raw = await asyncio.wait_for(client.reader.readuntil(b"100 Continue\r\n\r\n"), 10)
    answer = await client.ask(b"hi", b"POST")

    assert raw.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n")
    assert (answer.status, bytes(app.asked[0].body)) == (200, b"hi")


@pytest.mark.parametrize(
    ("method", "status", "length"), [(b"HEAD", 200, b"7"), (b"GET", 204, None), (b"GET", 304, b"7")]
)
async def test_answers_without_a_body(
    fleet: Fleet, app: Http2Application, method: bytes, status: int, length: bytes | None
) -> None:
    """The length of what is not there passes, and the connection to the client stays in step."""

    async def answers(asked: Asked) -> None:
        asked.respond(status, *([(b"content-length", length)] if length else []), ended=True)

    app.handler = answers
    client = await fleet.serve(balancer("s@file", await app.start()))

    for _ in range(2):
        answer = await client.ask(method + get()[3:], method)
        assert (answer.status, answer.body) == (status, b"")
        assert answer.values(b"content-length") == ([length] if length else [])
        assert not answer.values(b"transfer-encoding")


async def test_an_answer_before_the_body(fleet: Fleet, app: Http2Application) -> None:
    """The rest of the body is wanted by nobody: the server is told, the client has its answer."""

    async def refuses(asked: Asked) -> None:
        asked.respond(413, (b"content-length", b"0"), ended=True)

    app.handler = refuses
    await fleet.serve(balancer("s@file", await app.start()))
    client = await http2_client(fleet)
    stream = client.ask(method=b"POST", ended=False)

    reply = await client.reply(stream)

    assert reply.status == 413
    await eventually(lambda: app.asked[0].reset is not None, 10)
    assert (await client.get()).status == 413
    assert len(app.connections) == 1


# --- connections ---


async def test_many_requests_share_one_connection(fleet: Fleet, app: Http2Application) -> None:
    """Fifty at a time, the first ones included, which meet a server that nobody has asked before."""
    await fleet.serve(balancer("s@file", await app.start()))
    client = await http2_client(fleet)

    replies = await asyncio.gather(*(client.get(b"/%d" % number) for number in range(50)))

    assert [bytes(reply.body) for reply in replies] == [b"/%d\n" % number for number in range(50)]
    assert len(app.connections) == 1


async def test_the_handshake_chooses(fleet: Fleet, app: Http2Application, tmp_path: Path) -> None:
    """A server on TLS that offers HTTP/2 is spoken to in HTTP/2, by all at once who find that out together."""
    app.context = tls(tmp_path, "h2", "http/1.1")
    await fleet.serve(balancer("s@file", await app.start(), tls=TRUST))
    client = await http2_client(fleet)

    replies = await asyncio.gather(*(client.get(b"/%d" % number) for number in range(20)))

    assert {reply.status for reply in replies} == {200}
    assert len(app.connections) == 1
    assert app.asked[0].values(b":scheme") == [b"https"]


@pytest.mark.parametrize("allowed", [True, False])
async def test_the_handshake_chooses_http1(fleet: Fleet, tmp_path: Path, allowed: bool) -> None:
    """A server that does not offer HTTP/2, or with ``disableHTTP2`` one that does, is asked over HTTP/1.1."""
    old = Application(says("old"))
    fleet.started.append(old)
    context = tls(tmp_path, *(["http/1.1"] if allowed else ["h2", "http/1.1"]))
    old._server = await asyncio.start_server(old._serve, "127.0.0.1", 0, ssl=context)
    old.port = old._server.sockets[0].getsockname()[1]
    server = Server(f"https://127.0.0.1:{old.port}")
    await fleet.serve(balancer("s@file", server, tls=TRUST, http2=allowed))
    client = await http2_client(fleet)

    replies = await asyncio.gather(*(client.get() for _ in range(10)))

    assert [bytes(reply.body) for reply in replies] == [b"old"] * 10


async def test_a_server_that_takes_few_at_a_time(fleet: Fleet, app: Http2Application) -> None:
    """No connection is ever given more than the server allows: the others go over further connections."""
    gate, most = asyncio.Event(), 0

    async def waits(asked: Asked) -> None:
        nonlocal most
        most = max(most, sum(not each.ended.is_set() or not gate.is_set() for each in asked.connection.asked.values()))
        await gate.wait()
        asked.respond(ended=True)

    app.handler, app.max_streams = waits, 3
    await fleet.serve(balancer("s@file", await app.start()))
    client = await http2_client(fleet)
    streams = [client.ask(b"/%d" % number) for number in range(8)]
    await eventually(lambda: len(app.asked) == 8, 10)
    gate.set()

    replies = [await client.reply(stream) for stream in streams]

    assert {reply.status for reply in replies} == {200}
    assert most == 3
    assert len(app.connections) == 3


async def test_a_server_that_takes_nobody(fleet: Fleet, app: Http2Application) -> None:
    """It is as good as not there."""
    app.max_streams = 0
    client = await fleet.serve(balancer("s@file", await app.start()))

    assert (await client.ask(get())).status == 502
    assert app.asked == []


async def test_a_server_that_does_not_speak_http2(fleet: Fleet, caplog: pytest.LogCaptureFixture) -> None:
    """``h2c://`` in front of an application of HTTP/1.1: 502, the log says why, and it was asked nothing."""
    server = await fleet.app("old")
    client = await fleet.serve(balancer("s@file", Server(server.url.replace("http:", "h2c:"))))

    assert (await client.ask(get())).status == 502
    assert "does not speak HTTP/2" in caplog.text
    assert [request for request in fleet.apps["old"].requests if request.method != b"PRI"] == []


async def test_another_server_where_one_does_not_speak_it(fleet: Fleet, app: Http2Application) -> None:
    """Nothing was asked, so the next server is."""
    server = await fleet.app("old")
    wrong = Server(server.url.replace("http:", "h2c:"))
    client = await fleet.serve(balancer("s@file", wrong, await app.start()))

    assert [(await client.ask(get())).status for _ in range(4)] == [200] * 4


async def test_connections_that_nobody_uses_go(fleet: Fleet, app: Http2Application) -> None:
    """After ``idleConnTimeout``, with a farewell; the next request has a new one."""
    client = await fleet.serve(balancer("s@file", await app.start(), idle_conn_timeout=0.1))
    await client.ask(get())

    await eventually(lambda: not app.open, 10)

    assert (await client.ask(get())).status == 200
    assert len(app.connections) == 2


async def test_a_websocket_goes_over_http1(fleet: Fleet) -> None:
    """To the same server, by an HTTP/1.1 connection of its own, from clients of either version."""

    async def accepts(request: Recorded, conversation: Conversation) -> bytes | None:
        keys = [value for name, value in request.headers if name.lower() == b"sec-websocket-key"]
        accept = accept_value(keys[0])
        await conversation.send(
            b"HTTP/1.1 101 Hi\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
            + accept
            + b"\r\n\r\n"
        )
        await conversation.send(await conversation.reader.read(100))
        return None

    server = await fleet.app("both", accepts)
    client = await fleet.serve(balancer("s@file", Server(server.url.replace("http:", "h2c:"))))

    answer = await client.ask(get(b"/ws", *HANDSHAKE))
    await client.send(b"frame")
    modern = await http2_client(fleet)
    stream = modern.ask(
        b"/ws", (b"sec-websocket-version", b"13"), method=b"CONNECT", protocol=b"websocket", ended=False
    )
    await modern.send(stream, b"frame", ended=False)

    assert answer.status == 101
    assert await asyncio.wait_for(client.reader.readexactly(5), 10) == b"frame"
    await eventually(lambda: modern.replies[stream].body == b"frame", 10)
    assert modern.replies[stream].status == 200


async def test_a_grpc_call_may_be_silent(fleet: Fleet, app: Http2Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """One half of a conversation need not make progress; an ordinary body on the same connection must."""  # S-902
    monkeypatch.setattr("doorward.proxy.progress.GRACE", 0.0)
    await fleet.serve(balancer("s@file", await app.start()))
    client = await http2_client(fleet)
    call = client.ask(b"/chat", (b"content-type", b"application/grpc"), method=b"POST", ended=False)
    body = client.ask(b"/up", (b"content-type", b"text/plain"), method=b"POST", ended=False)

    slow = await client.reply(body)
    await client.send(call, b"at last")

    assert slow.status == 408
    assert bytes((await client.reply(call)).body) == b"/chat\nat last"
