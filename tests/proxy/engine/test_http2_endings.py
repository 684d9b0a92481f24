"""How HTTP/2 connections and streams end: floods, slow peers, sessions that end, a worker that stops; WebSockets."""

from __future__ import annotations

import asyncio
import time
from typing import TypeVar

import h2.settings
import pytest

from doorward.messages.entry_points import EntryPoint
from doorward.proxy.progress import GRACE
from doorward.wire.http2 import (
    CLIENT_PREFACE,
    ClientConnection,
    DataReceived,
    Event,
    GoawayReceived,
    ResponseReceived,
)
from doorward.wire.websocket import accept_value
from proxy.engine.application import Conversation, Recorded
from proxy.engine.http2_client import Http2Client, http2_client
from proxy.engine.stage import HOST, Stage, eventually
from proxy.engine.test_websockets import SESSION, LetsIn

ORIGIN = (b"origin", b"https://app.example.test")
T = TypeVar("T")
VERSION = (b"sec-websocket-version", b"13")


async def hangs(request: Recorded, conversation: Conversation) -> bytes | None:
    """Answers /, and nothing else."""
    if request.target == b"/":
        return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    await conversation.reader.read()
    conversation.cut()
    return None


async def test_a_rapid_reset_flood(stage: Stage) -> None:
    """The connection ends with ENHANCE_YOUR_CALM, nothing is left at the server, others are served."""  # S-904
    stage.application.handler = hangs
    await stage.start()
    client = await http2_client(stage)
    other = await http2_client(stage)
    for _ in range(1100):
        stream = client.ask(b"/hangs")
        client.core.reset_stream(stream, 8)
        client.flush()
    await asyncio.wait_for(client.closed.wait(), 5)

    assert client.goaways[0][0] == 11
    assert (await other.get()).status == 200
    await eventually(lambda: stage.application.open <= 1)


async def test_a_flood_in_pieces_starts_little(stage: Stage) -> None:
    """Requests that are reset one turn later are cancelled at the server each time."""  # S-904, I4
    stage.application.handler = hangs
    await stage.start()
    client = await http2_client(stage)
    for _ in range(50):
        stream = client.ask(b"/hangs")
        await asyncio.sleep(0.002)
        client.reset(stream)
    await eventually(lambda: stage.application.open == 0)

    assert (await client.get()).status == 200


async def test_a_ping_flood_of_one_who_does_not_read(stage: Stage) -> None:
    """It is cut off; nothing piles up."""  # S-907
    await stage.start()
    client = await http2_client(stage)
    for _ in range(1200):
        client.core.ping(b"12345678")
    client.flush()
    await asyncio.wait_for(client.closed.wait(), 5)

    assert client.goaways[0][0] == 11


async def test_a_client_that_breaks_the_protocol(stage: Stage) -> None:
    """It is told why and the connection ends; requests that were under way are cancelled."""
    stage.application.handler = hangs
    await stage.start()
    client = await http2_client(stage)
    client.ask(b"/hangs")
    await eventually(lambda: len(stage.application.requests) == 1)
    client.writer.write(b"\x00\x00\x04\x08\x00" + bytes(8))
    await asyncio.wait_for(client.closed.wait(), 5)

    assert client.goaways[0][0] == 1
    await eventually(lambda: stage.application.open == 0)


class Patient:
    """A client that goes on after a first GOAWAY, which the ``h2`` library does not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.core = ClientConnection(time.monotonic())
        self.writer = writer
        self.events: list[Event] = []
        self.closed = asyncio.create_task(self._read(reader))

    def ask(self) -> int:
        stream = self.core.request(method=b"GET", scheme=b"http", authority=HOST, target=b"/", headers=(), ended=True)
        self.writer.write(self.core.take())
        return stream

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            self.events += self.core.receive(data, time.monotonic())
            self.writer.write(self.core.take())
        self.writer.close()


async def test_a_worker_that_stops(stage: Stage) -> None:
    """GOAWAY first, then the streams that are open finish, then the connection closes; an idle one closes at once."""
    # S-923
    go_on = asyncio.Event()

    async def later(request: Recorded, conversation: Conversation) -> bytes:
        await go_on.wait()
        return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    stage.application.handler = later
    await stage.start()
    client, idle = [Patient(*await asyncio.open_connection("127.0.0.1", stage.port)) for _ in range(2)]
    idle.writer.write(idle.core.take())
    stream = client.ask()
    await eventually(lambda: len(stage.application.requests) == 1)
    draining = asyncio.create_task(stage.engine.drain(5))
    await asyncio.wait_for(idle.closed, 2)
    await eventually(lambda: len(client.of(GoawayReceived)) == 2)
    assert [(event.last_stream, event.code) for event in client.of(GoawayReceived)] == [(0x7FFFFFFF, 0), (stream, 0)]
    assert not client.of(ResponseReceived)
    go_on.set()

    await asyncio.wait_for(client.closed, 2)
    assert [event.head.status for event in client.of(ResponseReceived)] == [200]
    assert b"".join(event.data for event in client.of(DataReceived)) == b"ok"
    await asyncio.wait_for(draining, 2)


async def test_a_client_that_does_not_answer_when_the_worker_stops(stage: Stage) -> None:
    """It is not waited for longer than to the next look at the clock."""  # S-923
    await stage.start()
    client = await stage.client()
    await client.send(CLIENT_PREFACE + bytes(3) + b"\x04" + bytes(5))
    await eventually(lambda: stage.engine.open_connections["web"] == 1)

    await asyncio.wait_for(stage.engine.drain(5), 3)
    assert (await client.rest()).endswith(b"\x07" + bytes(13))


async def test_a_connection_that_had_its_requests(stage: Stage) -> None:
    """``keepAliveMaxRequests``: the last one is answered, then the client is sent elsewhere."""
    stage.entry_point = EntryPoint("web", "127.0.0.1", 0, keep_alive_max_requests=2)
    await stage.start()
    client = Patient(*await asyncio.open_connection("127.0.0.1", stage.port))
    client.ask()
    await eventually(lambda: len(client.of(ResponseReceived)) == 1)
    assert not client.of(GoawayReceived)
    client.ask()

    await asyncio.wait_for(client.closed, 3)
    assert [event.head.status for event in client.of(ResponseReceived)] == [200, 200]
    assert client.of(GoawayReceived)[-1].last_stream == 3


async def test_idle_connections_end(stage: Stage) -> None:
    """After the idle time, with a GOAWAY."""
    stage.entry_point = EntryPoint("web", "127.0.0.1", 0, idle_timeout=0.5)
    await stage.start()
    client = await http2_client(stage)
    assert (await client.get()).status == 200

    await asyncio.wait_for(client.closed.wait(), 4)
    assert client.goaways[0][0] == 0


async def test_a_head_that_does_not_end(stage: Stage) -> None:
    """The time for a head is limited; a byte now and then does not prolong it."""  # S-901
    stage.entry_point = EntryPoint("web", "127.0.0.1", 0, read_header_timeout=1.0)
    await stage.start()
    client = await http2_client(stage)
    await asyncio.sleep(0.1)
    client.writer.write(b"\x00\x40\x00\x01\x04\x00\x00\x00\x01")
    begun = time.monotonic()
    while not client.closed.is_set() and time.monotonic() - begun < 5:
        client.writer.write(b"\x82")
        await asyncio.sleep(0.2)

    assert client.goaways and client.goaways[0][0] == 11


async def test_a_body_that_trickles(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than 500 bytes a second: 408 for that request."""  # S-902
    monkeypatch.setattr("doorward.proxy.progress.GRACE", 0.5)
    assert GRACE == 10.0
    await stage.start()
    client = await http2_client(stage)
    stream = client.ask(b"/up", method=b"POST", ended=False)
    for _ in range(40):
        if client.replies[stream].ended.is_set():
            break
        await client.send(stream, b"x", ended=False)
        await asyncio.sleep(0.1)

    assert (await client.reply(stream)).status == 408
    assert (await client.get()).status == 200


async def test_a_session_that_ends_resets_its_streams(stage: Stage) -> None:
    """What was opened with it is cut; the connection stays."""  # S-228

    async def events(request: Recorded, conversation: Conversation) -> bytes | None:
        await conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n")
        await conversation.reader.read()
        conversation.cut()
        return None

    stage.application.handler = events
    await stage.start(stage.routes(LetsIn()))
    client = await http2_client(stage)
    stream = client.ask(b"/events")
    await eventually(lambda: client.replies[stream].body == b"data")
    stage.engine.sessions_ended([SESSION])

    assert (await client.reply(stream)).reset is not None
    await eventually(lambda: stage.application.open == 0)
    assert not client.closed.is_set()


async def websocket(request: Recorded, conversation: Conversation) -> None:
    """Takes up the handshake and sends everything back."""
    (key,) = request.values(b"sec-websocket-key")
    await conversation.send(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\nSec-WebSocket-Protocol: chat\r\n\r\n" % accept_value(key)
    )
    while data := await conversation.reader.read(65536):
        await conversation.send(data)
    conversation.cut()


async def connect(client: Http2Client) -> int:
    stream = client.ask(b"/ws", VERSION, ORIGIN, method=b"CONNECT", protocol=b"websocket", ended=False)
    await eventually(lambda: bool(client.replies[stream].headers))
    return stream


async def test_a_websocket_on_a_stream(stage: Stage) -> None:
    """Extended CONNECT: bytes go both ways, large ones too, beside other requests; either side may end it."""
    # RFC 8441, S-226
    stage.application.handler = websocket
    await stage.start(stage.routes(LetsIn()))
    client = await http2_client(stage)
    await eventually(lambda: client.core.remote_settings.get(h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL) == 1)
    stream = await connect(client)
    reply = client.replies[stream]
    assert reply.status == 200
    assert reply.values(b"sec-websocket-protocol") == [b"chat"]
    assert reply.values(b"sec-websocket-accept") == []
    assert stage.application.requests[0].values(b"x-forwarded-proto") == [b"ws"]

    await client.send(stream, b"\x81\x05hello", ended=False)
    await eventually(lambda: reply.body == b"\x81\x05hello")
    await client.send(stream, b"x" * 500_000, ended=False)
    await eventually(lambda: len(reply.body) == 500_007)
    await client.send(stream, b"")
    await client.reply(stream)
    await eventually(lambda: stage.application.open == 0)


async def test_a_websocket_ends_with_its_session(stage: Stage) -> None:
    """1008 and the end of the stream."""  # S-228
    stage.application.handler = websocket
    await stage.start(stage.routes(LetsIn()))
    client = await http2_client(stage)
    stream = await connect(client)
    await client.send(stream, b"\x81\x05hello", ended=False)
    await eventually(lambda: len(client.replies[stream].body) == 7)
    stage.engine.sessions_ended([SESSION])

    reply = await client.reply(stream)
    assert bytes(reply.body[7:11]) == b"\x88\x02\x03\xf0"
    await eventually(lambda: stage.application.open == 0)


async def test_a_200_is_no_websocket(stage: Stage) -> None:
    """An application that answers the handshake with a page must not be taken for one that agreed."""
    await stage.start()
    client = await http2_client(stage)
    stream = await connect(client)

    assert (await client.reply(stream)).status == 502


async def test_another_sites_page_cannot_use_the_session(stage: Stage) -> None:
    """The origin is looked at as in HTTP/1."""  # S-227
    await stage.start(stage.routes(LetsIn()))
    client = await http2_client(stage)
    evil = (b"origin", b"https://evil.test")
    stream = client.ask(b"/ws", VERSION, evil, method=b"CONNECT", protocol=b"websocket", ended=False)

    assert (await client.reply(stream)).status == 403
    assert stage.application.requests == []
