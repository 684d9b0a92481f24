"""WebSockets pass when client and application agree on one, and end when the session does."""

from __future__ import annotations

import asyncio

import pytest

from doorward.messages.http import HttpAnswer
from doorward.proxy.request import Request, ResponseHead
from doorward.wire.websocket import accept_value
from proxy.engine.application import Conversation, Recorded
from proxy.engine.stage import HOST, Client, Stage, eventually, get

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = (
    b"Connection: keep-alive, Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Key: " + KEY,
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Protocol: chat",
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\nSec-WebSocket-Protocol: chat\r\n\r\n" % accept_value(KEY)
)
SESSION = b"s" * 32


class LetsIn:
    """What a forward auth leaves behind: the session that let the request pass."""

    def enter(self, request: Request) -> HttpAnswer | None:
        request.session = SESSION
        return None

    def leave(self, request: Request, response: ResponseHead) -> None: ...


async def echo_server(request: Recorded, conversation: Conversation) -> None:
    await conversation.send(SWITCH)
    while data := await conversation.reader.read(65536):
        await conversation.send(data)


async def connect(stage: Stage, *more: bytes) -> Client:
    client = await stage.client()
    answer = await client.ask(get(b"/ws", *HANDSHAKE, *more))
    assert answer.status == 101, answer
    assert answer.values(b"sec-websocket-accept") == [accept_value(KEY)]
    return client


async def test_bytes_go_both_ways(stage: Stage) -> None:
    """Small and large, in order, and the handshake's own fields pass through."""  # S-226
    stage.application.handler = echo_server
    await stage.start()
    client = await connect(stage)

    await client.send(b"\x81\x05hello")
    assert await client.reader.readexactly(7) == b"\x81\x05hello"
    large = bytes(range(256)) * 4096
    sending = asyncio.create_task(client.send(large))
    assert await client.reader.readexactly(len(large)) == large
    await sending

    request = stage.application.requests[0]
    assert request.values(b"connection") == [b"Upgrade"]
    assert request.values(b"sec-websocket-protocol") == [b"chat"]


async def test_either_side_may_close(stage: Stage) -> None:
    """The other side is closed as well, and nothing stays open."""

    async def says_bye(request: Recorded, conversation: Conversation) -> None:
        await conversation.send(SWITCH + b"\x88\x00")
        await conversation.reader.read(1)
        conversation.writer.close()

    stage.application.handler = says_bye
    await stage.start()
    client = await connect(stage)
    await client.send(b"x")
    assert await client.rest() == b"\x88\x00"

    stage.application.handler = echo_server
    client = await connect(stage)
    client.close()
    await eventually(lambda: stage.application.open == 0)


async def test_a_refusal_is_an_ordinary_answer(stage: Stage) -> None:
    """An application that answers 200 gets no tunnel: what follows is HTTP."""  # S-229
    await stage.start()
    client = await stage.client()

    answer = await client.ask(get(b"/ws", *HANDSHAKE))

    assert (answer.status, answer.body) == (200, b"/ws\n")
    assert (await client.ask(get(b"/next"))).body == b"/next\n"


@pytest.mark.parametrize(
    "answer",
    [
        SWITCH.replace(accept_value(KEY), b"AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        SWITCH.replace(b"Upgrade: websocket", b"Upgrade: foo"),
        SWITCH.replace(b"Connection: Upgrade\r\n", b""),
    ],
)  # S-229
async def test_a_wrong_101_is_502(stage: Stage, answer: bytes) -> None:
    """Only a 101 that answers this very handshake opens a tunnel."""

    async def wrong(request: Recorded, conversation: Conversation) -> bytes:
        return answer

    stage.application.handler = wrong
    await stage.start()
    client = await stage.client()

    assert (await client.ask(get(b"/ws", *HANDSHAKE))).status == 502


@pytest.mark.parametrize(
    "request_head", [get(b"/ws", *HANDSHAKE[:3]), get(b"/ws", *HANDSHAKE).replace(b"GET", b"POST")]
)
async def test_half_a_handshake_is_plain_http(stage: Stage, request_head: bytes) -> None:
    """The upgrade fields are dropped and a 101 that nobody asked for is refused."""  # S-229
    stage.application.handler = echo_server
    await stage.start()
    client = await stage.client()

    assert (await client.ask(request_head)).status == 502
    assert stage.application.requests[0].values(b"upgrade") == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ((b"Origin: https://" + HOST,), 101),
        ((b"Origin: https://evil.test",), 403),
        ((b"Origin: https://evil.example.test",), 403),
        ((b"Origin: https://app.example.test.evil.test",), 403),
        ((b"Origin: null",), 403),
        ((), 403),
        ((b"Authorization: Bearer x",), 101),
    ],
)  # S-227
async def test_other_sites_cannot_use_a_login(stage: Stage, fields: tuple[bytes, ...], status: int) -> None:
    """On a route with a session the Origin must be the application's own."""
    stage.application.handler = echo_server
    await stage.start(stage.routes(LetsIn()))
    client = await stage.client()

    assert (await client.ask(get(b"/ws", *HANDSHAKE, *fields))).status == status


async def test_open_routes_do_not_ask_for_an_origin(stage: Stage) -> None:
    """Without a session there is no login that another site could use."""
    stage.application.handler = echo_server
    await stage.start()
    client = await stage.client()

    assert (await client.ask(get(b"/ws", *HANDSHAKE, b"Origin: https://evil.test"))).status == 101


async def test_a_session_that_ends_ends_its_websockets(stage: Stage) -> None:
    """Close code 1008 and the end, on this session only."""  # S-228
    stage.application.handler = echo_server
    await stage.start(stage.routes(LetsIn()))
    client = await connect(stage, b"Origin: https://" + HOST)
    await client.send(b"\x81\x00")
    await client.reader.readexactly(2)

    stage.engine.sessions_ended([b"o" * 32])
    await client.send(b"\x81\x00")
    assert await client.reader.readexactly(2) == b"\x81\x00"
    stage.engine.sessions_ended([SESSION])

    assert await client.rest() == b"\x88\x02\x03\xf0"
    await eventually(lambda: stage.application.open == 0)


async def test_no_close_frame_inside_a_frame(stage: Stage) -> None:
    """In the middle of the application's frame the connection is just cut."""
    stage.application.handler = echo_server
    await stage.start(stage.routes(LetsIn()))
    client = await connect(stage, b"Origin: https://" + HOST)
    await client.send(b"\x81\x05he")
    assert await client.reader.readexactly(4) == b"\x81\x05he"

    stage.engine.sessions_ended([], all_sessions=True)

    assert await client.rest() == b""


async def test_a_session_that_ends_cuts_its_streams(stage: Stage) -> None:
    """A stream of events that the session let in stops as well."""  # S-228

    async def events(request: Recorded, conversation: Conversation) -> None:
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await conversation.reader.read(1)

    stage.application.handler = events
    await stage.start(stage.routes(LetsIn()))
    client = await stage.client()
    await client.send(get())
    await client.reader.readuntil(b"data: 1\n\n")

    stage.engine.sessions_ended([SESSION])

    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.reader.readuntil(b"0\r\n\r\n")
    await eventually(lambda: stage.application.open == 0)
