"""The other end of a connection, made by hand: frames are put together and taken apart without the code under test."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hpack import Decoder, Encoder

from doorward.wire.http2 import (
    ClientConnection,
    ConnectionFailed,
    ErrorCode,
    Event,
    Http2Limits,
    ServerConnection,
    StreamReset,
)
from doorward.wire.http2.limits import DEFAULT_LIMITS

Fields = list[tuple[str, str]]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20

GET: Fields = [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "app.example.test")]
POST: Fields = [(":method", "POST"), *GET[1:]]


WEBSOCKET: Fields = [
    (":method", "CONNECT"),
    (":protocol", "websocket"),
    (":scheme", "https"),
    (":path", "/chat?x"),
    (":authority", "app.example.test"),
    ("sec-websocket-version", "13"),
]


def without(name: str, *more: tuple[str, str]) -> Fields:
    """A GET that lacks one of its pseudo-fields, with ``more`` at its end."""
    return [field for field in GET if field[0] != name] + list(more)


OK: Fields = [(":status", "200")]


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def number(self) -> int:
        """The last four bytes, in which RST_STREAM, WINDOW_UPDATE and GOAWAY say what they say."""
        return int.from_bytes(self.payload[-4:], "big")


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def frames(data: bytes) -> list[Frame]:
    """``data`` taken apart; it must hold whole frames."""
    found = []
    while data:
        size = int.from_bytes(data[:3], "big")
        assert len(data) >= 9 + size, "a frame was cut"
        found.append(Frame(data[3], data[4], int.from_bytes(data[5:9], "big"), data[9 : 9 + size]))
        data = data[9 + size :]
    return found


def block(fields: Iterable[tuple[str, str]]) -> bytes:
    """A header block of literals that touch no table."""
    return b"".join(
        b"\x00" + string(name.encode("latin-1")) + string(value.encode("latin-1")) for name, value in fields
    )


def string(data: bytes) -> bytes:
    """A string literal, not compressed."""
    if len(data) < 127:
        return bytes((len(data),)) + data
    rest, encoded = len(data) - 127, bytearray((127,))
    while rest >= 128:
        encoded.append(rest & 127 | 128)
        rest >>= 7
    return bytes((*encoded, rest)) + data


def headers(stream: int, fields: Iterable[tuple[str, str]] = GET, ended: bool = True) -> bytes:
    return frame(HEADERS, END_HEADERS | (END_STREAM if ended else 0), stream, block(fields))


def data(stream: int, payload: bytes = b"", ended: bool = False) -> bytes:
    return frame(DATA, END_STREAM if ended else 0, stream, payload)


def settings(*parameters: tuple[int, int]) -> bytes:
    return frame(
        SETTINGS, 0, 0, b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in parameters)
    )


def window_update(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def rst_stream(stream: int, code: int = 8) -> bytes:
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


GREETING = PREFACE + settings()


class Server:
    """A server under test and the client that talks to it."""

    def __init__(self, limits: Http2Limits = DEFAULT_LIMITS, tls: bool = True, greeting: bytes = GREETING) -> None:
        self.connection = ServerConnection(0.0, tls, limits)
        self.decoder = Decoder()
        self.encoder = Encoder()
        self.now = 0.0
        self.own_greeting = frames(self.connection.take())
        self.events: list[Event] = []
        if greeting:
            self.hear(greeting)
            self.connection.take()

    def hear(self, data: bytes) -> list[Event]:
        """The client sent ``data``; what happened."""
        events = self.connection.receive(data, self.now)
        self.events += events
        return events

    def said(self) -> list[Frame]:
        """What the server has to say."""
        return frames(self.connection.take())

    def failure(self) -> ErrorCode | None:
        """The code of the GOAWAY with which the server gave the connection up, if it did."""
        failed = [event for event in self.events if isinstance(event, ConnectionFailed)]
        if not failed:
            return None
        goaway = [found for found in self.said() if found.kind == GOAWAY]
        assert len(failed) == len(goaway) == 1
        assert goaway[0].number == failed[0].code
        assert self.connection.failed
        assert self.connection.receive(GREETING, self.now) == []
        return failed[0].code

    def resets(self) -> list[tuple[int, int]]:
        """(stream, code) of every stream that the server reset, as it says and as the events say."""
        said = [(found.stream, found.number) for found in self.said() if found.kind == RST_STREAM]
        happened = [(event.stream, event.code) for event in self.events if isinstance(event, StreamReset)]
        assert said == [reset for reset in happened if reset in said]
        return said

    def fields(self, found: Frame) -> list[tuple[bytes, bytes]]:
        """The fields in a HEADERS frame of the server's."""
        assert found.kind == HEADERS
        return [(bytes(name), bytes(value)) for name, value in self.decoder.decode(found.payload, raw=True)]


def asked(*more: bytes) -> Server:
    """A server that was asked one thing on stream 1."""
    server = Server()
    server.hear(b"".join((*more, headers(1))))
    server.connection.take()
    return server


class Client:
    """A client under test and the server that answers it."""

    def __init__(self) -> None:
        self.connection = ClientConnection(0.0)
        greeting = self.connection.take()
        assert greeting.startswith(PREFACE)
        self.own_greeting = frames(greeting[len(PREFACE) :])
        self.hear(settings())
        self.connection.take()

    def hear(self, data: bytes) -> list[Event]:
        return self.connection.receive(data, 0.0)

    def said(self) -> list[Frame]:
        return frames(self.connection.take())

    def ask(self, method: bytes = b"GET", ended: bool = True, **more: object) -> int:
        return self.connection.request(
            method=method,
            scheme=b"http",
            authority=b"app.test",
            target=b"/a?b",
            headers=[(b"X-A", b"b")],
            ended=ended,
            **more,  # type: ignore[arg-type]
        )
