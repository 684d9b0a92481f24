"""HTTP/2 frames to a port and frames back, made by hand: what a client library would not send."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hpack import Decoder

from wire.http2.by_hand import (
    ACK,
    CONTINUATION,
    DATA,
    END_STREAM,
    GOAWAY,
    GREETING,
    HEADERS,
    PING,
    RST_STREAM,
    SETTINGS,
    data,
    frame,
    headers,
    window_update,
)

Fields = Sequence[tuple[str, str]]


def context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.set_alpn_protocols(["h2"])
    return made


_anybody = context()


@dataclass
class Answer:
    """What came back on one stream."""

    status: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    reset: int | None = None
    """Error code of the RST_STREAM that ended it."""
    ended: bool = False

    def first(self, name: str) -> str:
        return next((value for key, value in self.fields if key == name), "")

    @property
    def refused(self) -> bool:
        """The stream was reset, or the answer is ours and no yes."""
        return self.reset is not None or self.status >= 400


@dataclass
class Http2:
    """A connection."""

    connection: socket.socket
    answers: dict[int, Answer] = field(default_factory=dict)
    goaway: int | None = None
    """Error code of the GOAWAY."""
    closed: bool = False
    _decoder: Decoder = field(default_factory=Decoder)
    _unread: bytes = b""
    _next: int = 1

    def send(self, *pieces: bytes) -> None:
        with contextlib.suppress(OSError):
            self.connection.sendall(b"".join(pieces))

    def stream(self) -> int:
        number, self._next = self._next, self._next + 2
        return number

    def ask(self, fields: Fields, body: bytes = b"", *, ended: bool = True) -> Answer:
        """One request and what becomes of it."""
        stream = self.stream()
        pieces = [headers(stream, fields, ended=ended and not body)]
        if body:
            pieces.append(data(stream, body, ended=ended))
        self.send(*pieces)
        return self.until(stream)

    def until(self, stream: int) -> Answer:
        """Read until ``stream`` has ended, one way or the other."""
        answer = self.answers.setdefault(stream, Answer())
        while not (answer.ended or answer.reset is not None or self.closed or self.goaway):
            self.read()
        return answer

    def until_goaway(self) -> None:
        while self.goaway is None and not self.closed:
            self.read()

    def read(self) -> None:
        """The next frame."""
        head = self._exactly(9)
        if len(head) < 9:
            self.closed = True
            return
        payload = self._exactly(int.from_bytes(head[:3], "big"))
        self._take(head[3], head[4], int.from_bytes(head[5:9], "big"), payload)

    def _exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            try:
                more = self.connection.recv(65536)
            except (ConnectionError, ssl.SSLError):
                more = b""
            if not more:
                return b""
            self._unread += more
        found, self._unread = self._unread[:size], self._unread[size:]
        return found

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        answer = self.answers.setdefault(stream, Answer()) if stream else Answer()
        if kind in (HEADERS, CONTINUATION):
            assert flags & 4, "our answers fit into one frame"
            fields = [(str(name), str(value)) for name, value in self._decoder.decode(payload)]
            status = int(dict(fields).get(":status", "0"))
            if status >= 200:
                answer.status, answer.fields = status, fields
        elif kind == DATA:
            answer.body += payload
            if payload:
                self.send(window_update(0, len(payload)))
        elif kind == RST_STREAM:
            answer.reset = int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            self.goaway = int.from_bytes(payload[4:8], "big")
        elif kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        answer.ended = answer.ended or (kind in (HEADERS, DATA) and bool(flags & END_STREAM))


@contextlib.contextmanager
def http2(port: int, name: str, timeout: float = 20.0) -> Iterator[Http2]:
    """A connection over TLS that has said hello; ``name`` is the server name to ask for."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    with plain, _anybody.wrap_socket(plain, server_hostname=name) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        client = Http2(connection)
        client.send(GREETING)
        yield client
