"""How a server stops: in two steps, at once, or because it must."""

from __future__ import annotations

from doorward.wire.http2 import ErrorCode, RequestReceived
from wire.http2.by_hand import (
    ACK,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    POST,
    Server,
    asked,
    data,
    frame,
    headers,
)


def test_an_orderly_farewell() -> None:
    """Streams that were under way when the client learned of it are still served; then no more."""  # S-923
    server = asked()
    server.connection.shut_down()
    goaway, ping = server.said()
    assert (goaway.kind, goaway.payload) == (GOAWAY, b"\x7f\xff\xff\xff\x00\x00\x00\x00")
    assert ping.kind == PING
    (event,) = server.hear(headers(3))
    assert isinstance(event, RequestReceived)

    assert server.hear(frame(PING, ACK, 0, ping.payload)) == []
    (goaway,) = server.said()
    assert (goaway.kind, goaway.payload) == (GOAWAY, b"\x00\x00\x00\x03\x00\x00\x00\x00")
    assert not server.connection.drained
    assert server.hear(headers(5) + data(5, b"x")) == []
    for stream in (1, 3):
        server.connection.respond(stream, 200, [], ended=True)
    assert [found.stream for found in server.said()] == [1, 3]
    assert server.connection.drained


def test_a_farewell_that_cannot_wait() -> None:
    """The second call does not wait for the sign of life; a third says nothing new."""
    server = asked()
    for _ in range(3):
        server.connection.shut_down()
    assert [found.payload[:4] for found in server.said() if found.kind == GOAWAY] == [
        b"\x7f\xff\xff\xff",
        b"\x00\x00\x00\x01",
    ]
    server.connection.respond(1, 200, [], ended=True)

    assert server.connection.drained


def test_requests_after_the_farewell_keep_the_tables_right() -> None:
    """They are ignored, but read: the trailers of an older stream may refer to what they brought."""
    server = Server()
    server.hear(headers(1, POST, ended=False))
    server.connection.shut_down()
    server.connection.shut_down()
    late = server.encoder.encode([("x-late", "1")])
    server.hear(frame(HEADERS, END_STREAM | END_HEADERS, 3, late))
    events = server.hear(frame(HEADERS, END_STREAM | END_HEADERS, 1, server.encoder.encode([("x-late", "1")])))

    assert len(server.encoder.encode([("x-late", "1")])) == 1
    assert [getattr(event, "headers", None) for event in events] == [((b"x-late", b"1"),)]


def test_giving_up() -> None:
    """A failure of our own is told, and ends everything."""
    server = asked()
    server.connection.fail(ErrorCode.INTERNAL_ERROR)
    server.connection.fail(ErrorCode.NO_ERROR)
    (goaway,) = server.said()

    assert goaway.payload == b"\x00\x00\x00\x01\x00\x00\x00\x02"
    assert server.connection.failed
    assert server.hear(headers(3)) == []
    server.connection.respond(1, 200, [])
    assert server.said() == []
