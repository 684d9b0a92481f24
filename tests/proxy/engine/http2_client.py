"""A client of HTTP/2 for the engine's tests: the ``h2`` library over a socket, as strict as it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events

from proxy.engine.stage import HOST, Stage
from proxy.engine.tls import client_context

Fields = list[tuple[bytes, bytes]]


@dataclass
class Reply:
    """What came on one stream."""

    headers: Fields = field(default_factory=list)
    interim: list[Fields] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    reset: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def status(self) -> int:
        return int(dict(self.headers)[b":status"])

    def values(self, name: bytes) -> list[bytes]:
        return [value for field_name, value in self.headers if field_name == name]


class Http2Client:
    """See the module. ``greedy``: takes all data at once; otherwise windows open only by ``take``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greedy: bool = True) -> None:
        self.writer = writer
        self.greedy = greedy
        self.core = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        self.replies: dict[int, Reply] = {}
        self.goaways: list[tuple[int, int]] = []
        """(code, last stream)"""
        self.closed = asyncio.Event()
        self._window = asyncio.Event()
        self._reader = reader
        self.core.initiate_connection()
        self.flush()
        self._task = asyncio.create_task(self._read())

    def flush(self) -> None:
        self.writer.write(self.core.data_to_send())

    def ask(
        self,
        path: bytes = b"/",
        *fields: tuple[bytes, bytes],
        method: bytes = b"GET",
        host: bytes = HOST,
        ended: bool = True,
        protocol: bytes = b"",
    ) -> int:
        """Open a stream; its number."""
        stream = self.core.get_next_available_stream_id()
        self.replies[stream] = Reply()
        pseudo = [(b":method", method), (b":scheme", b"https"), (b":authority", host), (b":path", path)]
        if protocol:
            pseudo.append((b":protocol", protocol))
        self.core.send_headers(stream, [*pseudo, *fields], end_stream=ended)
        self.flush()
        return stream

    async def send(self, stream: int, data: bytes, ended: bool = True) -> None:
        """As the windows allow."""
        sent = 0
        while sent < len(data):
            room = min(self.core.local_flow_control_window(stream), self.core.max_outbound_frame_size)
            if room <= 0:
                self._window.clear()
                await asyncio.wait_for(self._window.wait(), 10)
                continue
            self.core.send_data(stream, data[sent : sent + room])
            sent += room
            self.flush()
            await self.writer.drain()
        if ended:
            self.core.end_stream(stream)
            self.flush()

    async def reply(self, stream: int, timeout: float = 10.0) -> Reply:
        """When it is complete, or was reset."""
        reply = self.replies[stream]
        await asyncio.wait_for(reply.ended.wait(), timeout)
        return reply

    async def get(self, path: bytes = b"/", *fields: tuple[bytes, bytes], host: bytes = HOST) -> Reply:
        return await self.reply(self.ask(path, *fields, host=host))

    def take(self, stream: int, size: int) -> None:
        """Open the windows by ``size`` bytes."""
        self.core.acknowledge_received_data(size, stream)
        self.flush()

    def reset(self, stream: int, code: int = 8) -> None:
        self.core.reset_stream(stream, code)
        self.flush()

    def cut(self) -> None:
        self._task.cancel()
        self.writer.transport.abort()

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(65536):
                for event in self.core.receive_data(data):
                    self._follow(event)
                self.flush()
        except (ConnectionError, h2.exceptions.ProtocolError):
            pass
        self.closed.set()

    def _follow(self, event: h2.events.Event) -> None:
        reply = self.replies.get(getattr(event, "stream_id", 0) or 0, Reply())
        if isinstance(event, h2.events.ResponseReceived):
            reply.headers = list(event.headers)
        elif isinstance(event, h2.events.InformationalResponseReceived):
            reply.interim.append(list(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            reply.body += event.data
            if self.greedy and event.flow_controlled_length:
                self.core.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            if not reply.ended.is_set():
                reply.reset = int(event.error_code)
            reply.ended.set()
        elif isinstance(event, h2.events.StreamEnded):
            reply.ended.set()
        elif isinstance(event, h2.events.WindowUpdated | h2.events.RemoteSettingsChanged):
            self._window.set()
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((int(event.error_code or 0), event.last_stream_id or 0))


async def http2_client(stage: Stage, name: str = "", greedy: bool = True) -> Http2Client:
    """Over TLS for ``name`` if one is given, else by prior knowledge."""
    if name:
        context = client_context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        made = await asyncio.open_connection("127.0.0.1", stage.port, ssl=context, server_hostname=name)
    else:
        made = await asyncio.open_connection("127.0.0.1", stage.port)
    client = Http2Client(*made, greedy=greedy)
    stage.clients.append(client)  # type: ignore[arg-type]
    return client
