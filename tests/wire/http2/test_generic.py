"""What any HTTP/2 server must be able to do, one frame or field form at a time (h2spec, "generic")."""

from __future__ import annotations

import pytest

from doorward.wire.http2 import DataReceived, GoawayReceived, RequestReceived, StreamReset, TrailersReceived
from wire.http2.by_hand import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GET,
    GOAWAY,
    HAS_PRIORITY,
    HEADERS,
    PADDED,
    PING,
    POST,
    PRIORITY,
    SETTINGS,
    WINDOW_UPDATE,
    Server,
    block,
    data,
    frame,
    headers,
    rst_stream,
    settings,
    window_update,
)


def answered(server: Server, stream: int = 1) -> bool:
    """A request can be answered on ``stream``: the connection and the stream are well."""
    assert server.failure() is None
    server.connection.take()
    server.connection.respond(stream, 200, [], ended=True)
    return [(found.kind, found.stream) for found in server.said()[:1]] == [(HEADERS, stream)]


def test_the_server_speaks_first() -> None:
    """Its settings are there before the client said anything (generic 1, RFC 9113 section 3.4)."""
    server = Server(greeting=b"")

    assert [found.kind for found in server.own_greeting] == [SETTINGS, WINDOW_UPDATE]
    payload = server.own_greeting[0].payload
    said = {
        int.from_bytes(payload[place : place + 2], "big"): int.from_bytes(payload[place + 2 : place + 6], "big")
        for place in range(0, len(payload), 6)
    }
    assert said == {1: 4096, 3: 100, 4: 65536, 5: 16384, 6: 65536, 8: 1}
    assert server.own_greeting[1].number == (1 << 20) - 65535


PRIORITY_OF_0 = b"\x00\x00\x00\x00\x0f"
STREAMS = {
    "2/1 PRIORITY on an idle stream": frame(PRIORITY, 0, 1, PRIORITY_OF_0) + headers(1),
    "2/2 WINDOW_UPDATE on a half-closed stream": headers(1) + window_update(1, 100),
    "2/3 PRIORITY on a half-closed stream": headers(1) + frame(PRIORITY, 0, 1, PRIORITY_OF_0),
    "3.1/1 DATA": headers(1, POST, ended=False) + data(1, b"test", ended=True),
    "3.1/2 several DATA": headers(1, POST, ended=False) + data(1, b"te") + data(1, b"st", ended=True),
    "3.1/3 DATA with padding": headers(1, POST, ended=False)
    + frame(DATA, END_STREAM | PADDED, 1, b"\x06test\x00\x00\x00\x00\x00\x00"),
    "3.2/1 HEADERS": headers(1),
    "3.2/2 HEADERS with padding": frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, b"\x06" + block(GET) + bytes(6)),
    "3.2/3 HEADERS with priority": frame(
        HEADERS, END_STREAM | END_HEADERS | HAS_PRIORITY, 1, b"\x00\x00\x00\x03\xff" + block(GET)
    ),
    "3.2 HEADERS with padding and priority": frame(
        HEADERS,
        END_STREAM | END_HEADERS | HAS_PRIORITY | PADDED,
        1,
        b"\x02\x80\x00\x00\x03\x00" + block(GET) + bytes(2),
    ),
    "3.3/1 priority 1": frame(PRIORITY, 0, 1, b"\x00\x00\x00\x00\x00") + headers(1),
    "3.3/2 priority 256": frame(PRIORITY, 0, 1, b"\x00\x00\x00\x00\xff") + headers(1),
    "3.3/3 dependency": frame(PRIORITY, 0, 1, b"\x00\x00\x00\x05\xff") + headers(1),
    "3.3/4 exclusive": frame(PRIORITY, 0, 1, b"\x80\x00\x00\x05\xff") + headers(1),
    "3.3/5 PRIORITY for a higher stream": frame(PRIORITY, 0, 5, PRIORITY_OF_0) + headers(1),
    "3.5 SETTINGS": settings((3, 100)) + headers(1),
    "3.9/1 WINDOW_UPDATE of the connection": window_update(0, 1) + headers(1),
    "3.9/2 WINDOW_UPDATE of a stream": headers(1) + window_update(1, 1),
    "3.10/1 CONTINUATION": frame(HEADERS, END_STREAM, 1, block(GET)[:5])
    + frame(CONTINUATION, END_HEADERS, 1, block(GET)[5:]),
    "3.10/2 several CONTINUATION": frame(HEADERS, END_STREAM, 1, block(GET)[:5])
    + frame(CONTINUATION, 0, 1, block(GET)[5:9])
    + frame(CONTINUATION, END_HEADERS, 1, block(GET)[9:]),
    "4.1/1 unknown type": frame(0x16, 0, 0, bytes(8)) + frame(0x16, 0xFF, 9, bytes(8)) + headers(1),
    "4.1/2 undefined flags": frame(PING, 0x16, 0, bytes(8)) + headers(1),
    "4.1/3 reserved bit": frame(PING, 0, 0x80000000, bytes(8)) + headers(1),
    "4.2/1 the largest DATA": headers(1, POST, ended=False) + data(1, bytes(16384), ended=True),
    "5.5/1 unknown extension": frame(0x16, 0, 0, bytes(8)) + headers(1),
    "6.5.2/5 unknown setting": settings((0xFF, 1)) + headers(1),
    "6.7/2 PING that answers nothing": frame(PING, ACK, 0, bytes(8)) + headers(1),
}


@pytest.mark.parametrize("sent", STREAMS.values(), ids=STREAMS)
def test_good_frames_lead_to_an_answer(sent: bytes) -> None:
    """Whatever comes with it, the request arrives and can be answered."""
    server = Server()
    events = server.hear(sent)

    requests = [event for event in events if isinstance(event, RequestReceived)]
    bodies = [event for event in events if isinstance(event, DataReceived)]
    assert len(requests) == 1
    assert requests[0].ended or bodies[-1].ended
    assert b"".join(body.data for body in bodies) in (b"", b"test", bytes(16384))
    assert answered(server)


def test_methods() -> None:
    """GET, HEAD and POST arrive as what they are (generic 4/1 to 4/3)."""
    server = Server()
    for stream, method in ((1, "GET"), (3, "HEAD"), (5, "POST")):
        (event,) = server.hear(headers(stream, [(":method", method), *GET[1:]]))
        assert isinstance(event, RequestReceived)
        assert event.head.method == method.encode()
        assert answered(server, stream)


def test_trailers_end_a_body() -> None:
    """They arrive apart from the head (generic 4/4)."""
    server = Server()
    events = server.hear(
        headers(1, [*POST, ("trailer", "x-test")], ended=False) + data(1, b"test") + headers(1, [("x-test", "ok")])
    )

    assert events[1:] == [DataReceived(1, b"test", False), TrailersReceived(1, ((b"x-test", b"ok"),))]
    assert answered(server)


def test_a_reset_ends_a_stream() -> None:
    """And nothing but the stream (generic 2/4, 3.4/1, 7/2); the code may be one that nobody knows."""
    server = Server()
    assert server.hear(headers(1) + rst_stream(1, 0xFF))[1:] == [StreamReset(1, 0xFF, "", by_peer=True)]

    server.connection.respond(1, 200, [])
    assert server.said() == []
    server.hear(headers(3))
    assert answered(server, 3)


def test_a_closed_stream_may_be_mentioned() -> None:
    """PRIORITY, WINDOW_UPDATE and RST_STREAM may be late (generic 2/5, RFC 9113 section 5.1)."""
    server = Server()
    server.hear(headers(1))
    assert answered(server)

    assert server.hear(frame(PRIORITY, 0, 1, PRIORITY_OF_0) + window_update(1, 100) + rst_stream(1)) == []
    server.hear(headers(3))
    assert answered(server, 3)


def test_settings_are_acknowledged() -> None:
    """Each SETTINGS frame gets its answer (generic 3.5/1, section 6.5.3/2)."""
    server = Server()
    server.hear(settings((3, 100)) + settings())

    assert [tuple(found) for found in server.said()] == [(SETTINGS, ACK, 0, b"")] * 2
    server.hear(frame(SETTINGS, ACK, 0))
    assert server.said() == []


def test_a_ping_is_answered() -> None:
    """With the same eight bytes (generic 3.7/1, section 6.7/1)."""
    server = Server()
    server.hear(frame(PING, 0, 0, b"h2spec!!"))

    assert [tuple(found) for found in server.said()] == [(PING, ACK, 0, b"h2spec!!")]


def test_a_goaway_ends_nothing_at_once() -> None:
    """The client says that it leaves, for whatever reason (generic 3.8/1, section 7/1): its streams are answered."""
    server = Server()
    events = server.hear(headers(1) + frame(GOAWAY, 0, 0, b"\x00\x00\x00\x00\x00\x00\x00\xff" + b"bye"))

    assert events[1:] == [GoawayReceived(0, 0xFF)]
    assert answered(server)
