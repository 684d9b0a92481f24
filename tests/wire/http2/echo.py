"""Small real peers: the ``h2`` package's ends, and an application that echoes what our server receives."""

from __future__ import annotations

from collections import defaultdict

import h2.config
import h2.connection
import h2.events
import h2.settings

from doorward.messages.http import Header
from doorward.wire.http2 import (
    DataReceived,
    Event,
    RequestReceived,
    ServerConnection,
    StreamReset,
    TrailersReceived,
    WindowOpened,
)


def theirs(client: bool) -> h2.connection.H2Connection:
    config = h2.config.H2Configuration(client_side=client, header_encoding=None)
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    return connection


class Application:
    """A shell in small: echoes every request, with back-pressure both ways."""

    def __init__(self, server: ServerConnection) -> None:
        self.server = server
        self.waiting: dict[int, bytes] = defaultdict(bytes)
        self.ended: set[int] = set()
        self.trailers: dict[int, tuple[Header, ...]] = {}

    def take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, RequestReceived):
                self.server.inform(event.stream, 103, [(b"Link", b"</x>")])
                self.server.respond(event.stream, 200, [(b"Path", event.head.target), *event.head.headers])
                self._note_end(event.stream, event.ended)
            elif isinstance(event, DataReceived):
                self.waiting[event.stream] += event.data
                self._note_end(event.stream, event.ended)
            elif isinstance(event, TrailersReceived):
                self.trailers[event.stream] = event.headers
                self._note_end(event.stream, True)
            elif isinstance(event, WindowOpened):
                for stream in [event.stream] if event.stream else list(self.waiting):
                    self._send(stream)
            elif isinstance(event, StreamReset):
                self.waiting.pop(event.stream, None)

    def _note_end(self, stream: int, ended: bool) -> None:
        if ended:
            self.ended.add(stream)
        self._send(stream)

    def _send(self, stream: int) -> None:
        data = self.waiting[stream]
        done = stream in self.ended
        trailers = self.trailers.get(stream)
        taken = self.server.send_data(stream, data, ended=done and trailers is None)
        self.server.consume(stream, taken)
        self.waiting[stream] = data[taken:]
        if done and taken == len(data):
            if trailers is not None:
                self.server.send_trailers(stream, trailers)
            del self.waiting[stream]
