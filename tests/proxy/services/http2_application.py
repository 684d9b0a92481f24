"""An application that speaks HTTP/2, by means of the ``h2`` library: as strict as it is, and told what to answer."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from doorward.messages.routing import Server

Fields = list[tuple[bytes, bytes]]


@dataclass
class Asked:
    """One request, and how to answer it."""

    connection: Connection
    stream: int
    headers: Fields
    trailers: Fields = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    reset: int | None = None
    """The code with which the proxy gave it up."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """It is complete, or was given up."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def values(self, name: bytes) -> list[bytes]:
        return [value for field_name, value in self.headers if field_name == name]

    @property
    def path(self) -> bytes:
        return self.values(b":path")[0]

    async def complete(self) -> None:
        await asyncio.wait_for(self.ended.wait(), 10)

    def respond(self, status: int = 200, *fields: tuple[bytes, bytes], ended: bool = False) -> None:
        self.connection.core.send_headers(self.stream, [(b":status", b"%d" % status), *fields], end_stream=ended)
        self.connection.flush()

    async def send(self, data: bytes, ended: bool = False) -> None:
        await self.connection.send(self.stream, data, ended)

    def trail(self, *fields: tuple[bytes, bytes]) -> None:
        self.connection.core.send_headers(self.stream, list(fields), end_stream=True)
        self.connection.flush()

    def refuse(self, code: int = 7) -> None:
        self.connection.core.reset_stream(self.stream, code)
        self.connection.flush()


Handler = Callable[[Asked], Awaitable[None]]


async def echo(asked: Asked) -> None:
    """Path and body come back when the request is complete."""
    await asked.complete()
    asked.respond()
    await asked.send(asked.path + b"\n" + bytes(asked.body), ended=True)


@dataclass
class Http2Application:
    """See the module. ``greedy``: takes bodies at once; otherwise windows open only by ``take``."""

    handler: Handler = echo
    max_streams: int = 100
    greedy: bool = True
    context: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self) -> Server:
        """Where it is; it may be asked for again."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]
        return Server(f"{'https' if self.context else 'h2c'}://127.0.0.1:{self.port}")

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self.connections:
            connection.cut()

    @property
    def open(self) -> int:
        return sum(not connection.closed for connection in self.connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, writer)
        self.connections.append(connection)
        await connection.run(reader)


class Connection:
    """One connection from the proxy."""

    def __init__(self, application: Http2Application, writer: asyncio.StreamWriter) -> None:
        self.application = application
        self.writer = writer
        self.closed = False
        self.asked: dict[int, Asked] = {}
        self.core = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        limits = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: application.max_streams}
        self.core.local_settings = h2.settings.Settings(client=False, initial_values=limits)
        self._window = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def flush(self) -> None:
        self.writer.write(self.core.data_to_send())

    def leave(self, last_stream: int) -> None:
        """GOAWAY: streams above ``last_stream`` were not looked at."""
        # By hand: the library would not finish what it has afterwards.
        self.writer.write(b"\0\0\x08\x07\0\0\0\0\0" + last_stream.to_bytes(4, "big") + bytes(4))

    def cut(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.writer.transport.abort()

    def take(self, stream: int, size: int) -> None:
        """Open the windows by ``size`` bytes."""
        self.core.acknowledge_received_data(size, stream)
        self.flush()

    async def send(self, stream: int, data: bytes, ended: bool) -> None:
        """As the windows allow."""
        sent = 0
        while sent < len(data):
            room = min(self.core.local_flow_control_window(stream), self.core.max_outbound_frame_size)
            if room <= 0:
                self._window.clear()
                await self._window.wait()
                continue
            self.core.send_data(stream, data[sent : sent + room])
            sent += room
            self.flush()
            await self.writer.drain()
        if ended:
            self.core.end_stream(stream)
            self.flush()

    async def run(self, reader: asyncio.StreamReader) -> None:
        self.core.initiate_connection()
        self.flush()
        try:
            while data := await reader.read(65536):
                for event in self.core.receive_data(data):
                    self._follow(event)
                self.flush()
        except (ConnectionError, h2.exceptions.ProtocolError):
            pass
        self.closed = True
        for asked in self.asked.values():
            asked.ended.set()
        self.cut()

    def _follow(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            asked = self.asked[event.stream_id] = Asked(self, event.stream_id, list(event.headers))
            self.application.asked.append(asked)
            task = asyncio.create_task(self._answer(asked))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        asked_before = self.asked.get(getattr(event, "stream_id", 0) or 0)
        if isinstance(event, h2.events.WindowUpdated | h2.events.RemoteSettingsChanged):
            self._window.set()
        elif asked_before is None:
            return
        elif isinstance(event, h2.events.DataReceived):
            asked_before.body += event.data
            asked_before.moved.set()
            if self.application.greedy and event.flow_controlled_length:
                self.core.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            asked_before.trailers = list(event.headers)
        elif isinstance(event, h2.events.StreamReset):
            asked_before.reset = int(event.error_code)
            asked_before.ended.set()
        elif isinstance(event, h2.events.StreamEnded):
            asked_before.ended.set()

    async def _answer(self, asked: Asked) -> None:
        try:
            await self.application.handler(asked)
        except h2.exceptions.StreamClosedError:
            pass  # the proxy has given it up meanwhile
