"""A recording application: raw sockets, HTTP read with a few lines of its own, answers as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass
class Recorded:
    """One complete request as it arrived."""

    connection: int
    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    raw_head: bytes = b""

    def values(self, name: bytes) -> list[bytes]:
        return [value for field_name, value in self.headers if field_name.lower() == name]


@dataclass
class Conversation:
    """One connection from the proxy, for handlers that take part in the conversation themselves."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def cut(self) -> None:
        self.writer.transport.abort()


Handler = Callable[[Recorded, Conversation], Awaitable[bytes | None]]


async def echo(request: Recorded, conversation: Conversation) -> bytes | None:
    body = request.target + b"\n" + request.body
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@dataclass
class Application:
    """Answers every complete request with what ``handler`` returns; None: the handler did it itself."""

    handler: Handler = echo
    head_handler: Handler | None = None
    """Called when the head is there, before the body is read; a result that is not None is the answer."""
    requests: list[Recorded] = field(default_factory=list)
    aborted: int = 0
    """Requests that broke off before they were complete."""
    connections: int = 0
    open: int = 0
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        self.open += 1
        conversation = Conversation(self.connections, reader, writer)
        try:
            while not writer.is_closing():
                try:
                    raw = await reader.readuntil(b"\r\n\r\n")
                except asyncio.IncompleteReadError as error:
                    self.aborted += bool(error.partial)
                    break
                await self._one(raw, conversation)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.aborted += 1
        except asyncio.CancelledError:
            pass
        finally:
            self.open -= 1
            writer.transport.abort()

    async def _one(self, raw: bytes, conversation: Conversation) -> None:
        line, *lines = raw[:-4].split(b"\r\n")
        method, target, _ = line.split(b" ")
        pairs = [entry.split(b": ", 1) for entry in lines]
        request = Recorded(conversation.number, method, target, [(name, value) for name, value in pairs], b"", raw)
        if self.head_handler is not None:
            early = await self.head_handler(request, conversation)
            if early is not None:
                self.requests.append(request)
                await conversation.send(early)
                return
        request.body = await self._body(request, conversation.reader)
        self.requests.append(request)
        answer = await self.handler(request, conversation)
        if answer is not None:
            await conversation.send(answer)

    async def _body(self, request: Recorded, reader: asyncio.StreamReader) -> bytes:
        if request.values(b"transfer-encoding") == [b"chunked"]:
            pieces = []
            while size := int(await reader.readuntil(b"\r\n"), 16):
                pieces.append(await reader.readexactly(size))
                assert await reader.readexactly(2) == b"\r\n"
            assert await reader.readexactly(2) == b"\r\n"
            return b"".join(pieces)
        length = request.values(b"content-length")
        return await reader.readexactly(int(length[0])) if length else b""
