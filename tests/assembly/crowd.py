"""A hundred clients who never stop, each on its own connection, and an application that answers them.

A client keeps its connection as long as it may, sends one request at a time and never a second time. What it is told
by the protocol is no failure: ``Connection: close`` with an answer, GOAWAY that covers its request, a WebSocket's close
frame. Everything else that ends a connection is one, and is kept with the time at which the attempt had begun.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
import random
import ssl
import time
from dataclasses import dataclass, field

import hpack
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame

PAUSE = 0.15
"""Seconds between two requests of a client."""
PATIENCE = 30.0
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Application:
    """Echoes: the body of a request, or whatever comes over a WebSocket."""

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
                lower = {name.lower(): value for name, value in fields.items()}
                if b"sec-websocket-key" in lower:
                    accept = base64.b64encode(hashlib.sha1(lower[b"sec-websocket-key"] + _GUID).digest())
                    writer.write(
                        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
                    )
                    while data := await reader.readexactly(10):
                        mask = data[2:6]
                        text = bytes(byte ^ mask[place] for place, byte in enumerate(data[6:]))
                        writer.write(b"\x82\x04" + text)
                body = await reader.readexactly(int(lower.get(b"content-length", b"0")))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 2) + b"ok" + body)
        writer.close()


@dataclass
class Failure:
    client: Client
    port: int
    """Of the client's end; 0 when it was not even connected."""
    begun: float
    why: str


@dataclass
class Client:
    """One of the crowd; ``done`` counts what was answered as it should be."""

    kind: str
    ports: dict[str, int]
    tls: ssl.SSLContext
    failures: list[Failure] = field(default_factory=list)
    done: int = 0
    port: int = 0
    stopping: bool = False
    writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        while not self.stopping:
            begun = time.monotonic()
            self.port = 0
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._connect()
                await getattr(self, f"_{self.kind}")()
            except (OSError, asyncio.IncompleteReadError, TimeoutError, AssertionError) as error:
                self.failures.append(Failure(self, self.port, begun, f"{self.kind}: {error!r}"))
            finally:
                if self.writer is not None:
                    self.writer.close()
                    with contextlib.suppress(OSError, ssl.SSLError):
                        await self.writer.wait_closed()

    async def _connect(self) -> None:
        self.writer = None
        secure = self.kind in ("secure", "http2")
        context = self.tls if secure else None
        if secure:
            self.tls.set_alpn_protocols(["h2"] if self.kind == "http2" else ["http/1.1"])
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1",
            self.ports["websecure" if secure else "web"],
            ssl=context,
            server_hostname="open.test" if secure else None,
        )
        self.port = self.writer.get_extra_info("sockname")[1]

    async def _answered(self) -> None:
        self.done += 1
        await asyncio.sleep(PAUSE * random.uniform(0.5, 1.5))

    # --- HTTP/1.1 ---

    async def _plain(self) -> None:
        while not self.stopping and await self._ask(b"GET", b""):
            await self._answered()

    async def _posting(self) -> None:
        while not self.stopping and await self._ask(b"POST", os.urandom(3000)):
            await self._answered()

    _secure = _plain

    async def _fresh(self) -> None:
        await self._ask(b"GET", b"")
        await self._answered()

    async def _ask(self, method: bytes, body: bytes) -> bool:
        """False when it was the last answer of this connection."""
        assert self.writer is not None
        async with asyncio.timeout(PATIENCE):
            head = method + b" / HTTP/1.1\r\nHost: open.test\r\nContent-Length: %d\r\n\r\n" % len(body)
            self.writer.write(head if method != b"GET" else b"GET / HTTP/1.1\r\nHost: open.test\r\n\r\n")
            if body:  # not in one piece: it is under way for a while
                self.writer.write(body[:1000])
                await asyncio.sleep(0.01)
                self.writer.write(body[1000:])
            answer = await self.reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            assert await self.reader.readexactly(len(body) + 2) == b"ok" + body
        last = b"connection: close" in answer.lower()
        if last:
            self.done += 1
        return not last

    # --- HTTP/2 ---

    async def _http2(self) -> None:
        assert self.writer is not None
        encoder, stream = hpack.Encoder(), -1
        self.writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame(0).serialize())
        while not self.stopping:
            stream += 2
            fields = [(":method", "GET"), (":scheme", "https"), (":authority", "open.test"), (":path", "/")]
            self.writer.write(
                HeadersFrame(stream, encoder.encode(fields), flags=["END_HEADERS", "END_STREAM"]).serialize()
            )
            async with asyncio.timeout(PATIENCE):
                if not await self._stream_ends(stream):
                    return
            await self._answered()

    async def _stream_ends(self, stream: int) -> bool:
        """False when another connection is needed: we were told so, and our request was answered or not begun."""
        assert self.writer is not None
        body, last = b"", False
        while True:
            frame, length = Frame.parse_frame_header(memoryview(await self.reader.readexactly(9)))
            frame.parse_body(memoryview(await self.reader.readexactly(length)))
            if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
                self.writer.write(SettingsFrame(0, flags=["ACK"]).serialize())
            elif isinstance(frame, PingFrame) and "ACK" not in frame.flags:
                self.writer.write(PingFrame(0, frame.opaque_data, flags=["ACK"]).serialize())
            elif isinstance(frame, GoAwayFrame):
                last = True
                if frame.last_stream_id < stream:
                    return False
            elif frame.stream_id == stream:
                assert isinstance(frame, HeadersFrame | DataFrame), frame
                body += frame.data if isinstance(frame, DataFrame) else b""
                if "END_STREAM" in frame.flags:
                    assert body == b"ok"
                    self.done += last
                    return not last

    # --- WebSocket ---

    async def _websocket(self) -> None:
        assert self.writer is not None
        self.writer.write(
            b"GET /ws HTTP/1.1\r\nHost: open.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n"
        )
        async with asyncio.timeout(PATIENCE):
            assert (await self.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        while not self.stopping:
            text, mask = os.urandom(4), os.urandom(4)
            self.writer.write(b"\x82\x84" + mask + bytes(one ^ other for one, other in zip(text, mask, strict=True)))
            async with asyncio.timeout(PATIENCE):
                kind, length = await self.reader.readexactly(2)
                data = await self.reader.readexactly(length)
            if kind == 0x88:
                assert data == (1001).to_bytes(2, "big")
                self.done += 1
                return
            assert data == text
            await self._answered()


class Crowd:
    """All of them."""

    def __init__(self, ports: dict[str, int], **kinds: int) -> None:
        self.clients = []
        for kind, number in kinds.items():
            for _ in range(number):
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                self.clients.append(Client(kind, ports, context))
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(client.run()) for client in self.clients]

    async def goes_on(self, answers: int = 2) -> None:
        """Returns when each client has been answered so many times more."""
        wanted = [(client, client.done + answers) for client in self.clients]
        deadline = time.monotonic() + PATIENCE
        while late := [client for client, done in wanted if client.done < done]:
            assert time.monotonic() < deadline, f"{len(late)} wait, such as {late[0].kind}; failed: {self.failures()}"
            await asyncio.sleep(0.02)

    def failures(self) -> list[Failure]:
        return [failure for client in self.clients for failure in client.failures]

    async def stop(self) -> None:
        for client in self.clients:
            client.stopping = True
        await asyncio.wait_for(asyncio.gather(*self._tasks), PATIENCE)
