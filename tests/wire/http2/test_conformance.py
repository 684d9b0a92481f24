"""What breaks the rules of RFC 9113, section by section, and how far the damage goes (h2spec, "http2").

Names begin with the section and the number of the case in h2spec's list.
"""

from __future__ import annotations

import pytest

from doorward.wire.http2 import ErrorCode, RequestReceived
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
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
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

PROTOCOL, SIZE, CLOSED = ErrorCode.PROTOCOL_ERROR, ErrorCode.FRAME_SIZE_ERROR, ErrorCode.STREAM_CLOSED
FLOW, COMPRESSION = ErrorCode.FLOW_CONTROL_ERROR, ErrorCode.COMPRESSION_ERROR

OPEN = headers(1, POST, ended=False)
ENDED = headers(1)
PART = frame(HEADERS, END_STREAM, 1, block(GET)[:5])
REST = block(GET)[5:]
PRIORITIES = bytes(5)

CONNECTION = {
    "4.2/2 DATA too large": (SIZE, OPEN + data(1, bytes(16385))),
    "4.2/3 HEADERS too large": (SIZE, frame(HEADERS, END_HEADERS, 1, bytes(16385))),
    "4.3/1 bad block": (COMPRESSION, frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\x40\x07abc")),
    "4.3/2 PRIORITY within a block": (PROTOCOL, PART + frame(PRIORITY, 0, 1, PRIORITIES)),
    "4.3/3 HEADERS within a block": (PROTOCOL, PART + headers(3)),
    "5.1/1 DATA on an idle stream": (PROTOCOL, data(1, b"test", ended=True)),
    "5.1/2 RST_STREAM on an idle stream": (PROTOCOL, rst_stream(1)),
    "5.1/3 WINDOW_UPDATE on an idle stream": (PROTOCOL, window_update(1, 100)),
    "5.1/4 CONTINUATION on an idle stream": (PROTOCOL, frame(CONTINUATION, END_HEADERS, 1, block(GET))),
    "5.1/7 CONTINUATION on a half-closed stream": (PROTOCOL, ENDED + frame(CONTINUATION, END_HEADERS, 1, b"")),
    "5.1/10 CONTINUATION after a reset": (PROTOCOL, OPEN + rst_stream(1) + frame(CONTINUATION, END_HEADERS, 1, b"")),
    "5.1.1/1 an even stream": (PROTOCOL, headers(2)),
    "5.1.1/2 a lower stream": (PROTOCOL, headers(5) + headers(3)),
    "5.3.1/1 HEADERS that depend on themselves": (
        PROTOCOL,
        frame(HEADERS, END_STREAM | END_HEADERS | HAS_PRIORITY, 1, b"\x00\x00\x00\x01\xff" + block(GET)),
    ),
    "5.3.1/2 PRIORITY that depends on itself": (PROTOCOL, frame(PRIORITY, 0, 1, b"\x00\x00\x00\x01\xff")),
    "5.5/2 an unknown frame within a block": (PROTOCOL, PART + frame(0x16, 0, 0, bytes(8))),
    "6.1/1 DATA on stream 0": (PROTOCOL, data(0, b"test")),
    "6.1/3 DATA padded beyond its end": (PROTOCOL, OPEN + frame(DATA, PADDED | END_STREAM, 1, b"\x06test")),
    "6.1 DATA all padding but one byte too much": (PROTOCOL, OPEN + frame(DATA, PADDED, 1, b"\x05test")),
    "6.1 DATA padded without a length": (SIZE, OPEN + frame(DATA, PADDED, 1, b"")),
    "6.2/1 PRIORITY before the end of the headers": (PROTOCOL, PART + frame(PRIORITY, 0, 3, PRIORITIES)),
    "6.2/2 HEADERS of another stream before the end": (PROTOCOL, PART + headers(3)),
    "6.2/3 HEADERS on stream 0": (PROTOCOL, headers(0)),
    "6.2/4 HEADERS padded beyond their end": (PROTOCOL, frame(HEADERS, PADDED | END_HEADERS, 1, b"\x08" + bytes(7))),
    "6.2 HEADERS too short for a priority": (SIZE, frame(HEADERS, HAS_PRIORITY | END_HEADERS, 1, bytes(4))),
    "6.3/1 PRIORITY on stream 0": (PROTOCOL, frame(PRIORITY, 0, 0, PRIORITIES)),
    "6.3/2 PRIORITY of four bytes": (SIZE, frame(PRIORITY, 0, 1, bytes(4))),
    "6.4/1 RST_STREAM on stream 0": (PROTOCOL, rst_stream(0)),
    "6.4/2 RST_STREAM on an idle stream": (PROTOCOL, rst_stream(1)),
    "6.4/3 RST_STREAM of three bytes": (SIZE, OPEN + frame(RST_STREAM, 0, 1, bytes(3))),
    "6.5/1 SETTINGS ACK with a payload": (SIZE, frame(SETTINGS, ACK, 0, b"\x00")),
    "6.5/2 SETTINGS on a stream": (PROTOCOL, frame(SETTINGS, 0, 1)),
    "6.5/3 SETTINGS of three bytes": (SIZE, frame(SETTINGS, 0, 0, bytes(3))),
    "6.5.2/1 ENABLE_PUSH 2": (PROTOCOL, settings((2, 2))),
    "6.5.2/2 INITIAL_WINDOW_SIZE too large": (FLOW, settings((4, 1 << 31))),  # S-910
    "6.5.2/3 MAX_FRAME_SIZE too small": (PROTOCOL, settings((5, 16383))),  # S-910
    "6.5.2/4 MAX_FRAME_SIZE too large": (PROTOCOL, settings((5, 1 << 24))),  # S-910
    "6.5.2 MAX_FRAME_SIZE 0": (PROTOCOL, settings((5, 0))),  # S-910
    "6.5.2 ENABLE_CONNECT_PROTOCOL 2": (PROTOCOL, settings((8, 2))),
    "6.5.2 ENABLE_CONNECT_PROTOCOL taken back": (PROTOCOL, settings((8, 1)) + settings((8, 0))),
    "6.7/3 PING on a stream": (PROTOCOL, frame(PING, 0, 1, bytes(8))),
    "6.7/4 PING of six bytes": (SIZE, frame(PING, 0, 0, bytes(6))),
    "6.8/1 GOAWAY on a stream": (PROTOCOL, frame(GOAWAY, 0, 1, bytes(8))),
    "6.8 GOAWAY of seven bytes": (SIZE, frame(GOAWAY, 0, 0, bytes(7))),
    "6.9/1 WINDOW_UPDATE of 0": (PROTOCOL, window_update(0, 0)),
    "6.9/3 WINDOW_UPDATE of three bytes": (SIZE, frame(WINDOW_UPDATE, 0, 0, bytes(3))),
    "6.9.1/2 window beyond 2^31-1": (FLOW, window_update(0, 0x7FFFFFFF) + window_update(0, 0x7FFFFFFF)),
    "6.9.2/3 windows beyond 2^31-1 by SETTINGS": (
        FLOW,
        OPEN + window_update(1, 0x7FFFFFFF - 65535) + settings((4, 65536)),
    ),
    "6.10/2 CONTINUATION, then another frame": (PROTOCOL, PART + frame(CONTINUATION, 0, 1, REST) + data(1)),
    "6.10/3 CONTINUATION on stream 0": (PROTOCOL, PART + frame(CONTINUATION, END_HEADERS, 0, REST)),
    "6.10/4 CONTINUATION after the end of the headers": (PROTOCOL, ENDED + frame(CONTINUATION, END_HEADERS, 1, REST)),
    "6.10/5 CONTINUATION after the last one": (
        PROTOCOL,
        PART + frame(CONTINUATION, END_HEADERS, 1, REST) + frame(CONTINUATION, END_HEADERS, 1, REST),
    ),
    "6.10/6 CONTINUATION after DATA": (PROTOCOL, OPEN + data(1, b"x") + frame(CONTINUATION, END_HEADERS, 1, REST)),
    "6.10 CONTINUATION on another stream": (PROTOCOL, PART + frame(CONTINUATION, END_HEADERS, 3, REST)),
    "8.2/1 PUSH_PROMISE": (PROTOCOL, frame(PUSH_PROMISE, END_HEADERS, 1, b"\x00\x00\x00\x02" + block(GET))),
    "5.4.1 DATA on a stream of ours": (PROTOCOL, data(2, b"x")),
}


@pytest.mark.parametrize(("code", "sent"), CONNECTION.values(), ids=CONNECTION)
def test_the_connection_ends(code: ErrorCode, sent: bytes) -> None:
    """Where the peers no longer agree on what is what, a GOAWAY says why and nothing more is read (5.4.1)."""
    server = Server()
    server.hear(sent)

    assert server.failure() is code


STREAM = {
    "5.1/5 DATA on a half-closed stream": (CLOSED, ENDED + data(1, b"test")),
    "5.1/6 HEADERS on a half-closed stream": (CLOSED, ENDED + headers(1)),
    "5.1/8 DATA after a reset": (CLOSED, OPEN + rst_stream(1) + data(1, b"test")),
    "5.1/9 HEADERS after a reset": (CLOSED, OPEN + rst_stream(1) + headers(1)),
    "6.1/2 DATA on a half-closed stream": (CLOSED, ENDED + data(1, b"test", ended=True)),
    "6.3/2 PRIORITY of four bytes on an open stream": (SIZE, OPEN + frame(PRIORITY, 0, 1, bytes(4))),
    "6.9/2 WINDOW_UPDATE of 0": (PROTOCOL, OPEN + window_update(1, 0)),
    "6.9.1/3 window beyond 2^31-1": (FLOW, OPEN + window_update(1, 0x7FFFFFFF)),
    "8.1/1 a second head": (PROTOCOL, OPEN + headers(1, [("x", "y")], ended=False)),
    "8.1.2.1/3 a pseudo-field in trailers": (PROTOCOL, OPEN + headers(1, [(":method", "POST")])),
    "8.1.2.6/1 content-length and the DATA": (
        PROTOCOL,
        headers(1, [*POST, ("content-length", "1")], ended=False) + data(1, b"test", ended=True),
    ),
    "8.1.2.6/2 content-length and several DATA": (
        PROTOCOL,
        headers(1, [*POST, ("content-length", "1")], ended=False) + data(1, b"te") + data(1, b"st", ended=True),
    ),
}


@pytest.mark.parametrize(("code", "sent"), STREAM.values(), ids=STREAM)
def test_the_stream_ends(code: ErrorCode, sent: bytes) -> None:
    """Where only one stream is broken, only that one is reset (5.4.2)."""
    server = Server()
    server.hear(sent)

    assert server.resets() == [(1, code)]
    (event,) = server.hear(headers(7))
    assert isinstance(event, RequestReceived)


@pytest.mark.parametrize("late", [data(1, b"test"), headers(1)])
def test_after_the_end_there_is_nothing(late: bytes) -> None:
    """A stream that both sides ended gets no further frames (5.1/11, 5.1/12)."""
    server = Server()
    server.hear(ENDED)
    server.connection.respond(1, 200, [], ended=True)
    server.connection.take()
    server.hear(late)

    assert server.failure() is CLOSED


def test_continuation_after_the_end() -> None:
    """It belongs to no headers (5.1/13)."""
    server = Server()
    server.hear(ENDED)
    server.connection.respond(1, 200, [], ended=True)
    server.connection.take()
    server.hear(frame(CONTINUATION, END_HEADERS, 1, block(GET)))

    assert server.failure() is PROTOCOL


@pytest.mark.parametrize("late", [data(1, b"test", ended=True), headers(1), window_update(1, 9), rst_stream(1)])
def test_after_our_reset_a_client_may_not_know(late: bytes) -> None:
    """What was under way when we reset the stream means nothing any more (5.1)."""
    server = Server()
    server.hear(OPEN)
    server.connection.reset(1)
    server.connection.take()

    assert server.hear(late) == []
    assert server.said() == []
    (event,) = server.hear(headers(3))
    assert isinstance(event, RequestReceived)


def test_the_hundred_and_first_stream() -> None:
    """More streams than were offered are refused, so that the client may try again (5.1.2/1)."""
    server = Server()
    for stream in range(1, 201, 2):
        server.hear(headers(stream, POST, ended=False))
    assert server.resets() == []
    server.hear(headers(201))

    assert server.resets() == [(201, ErrorCode.REFUSED_STREAM)]


GREETINGS = {
    "3.5/2 another protocol": b"INVALID CONNECTION PREFACE\r\n\r\n",
    "3.5 HTTP/1": b"GET / HTTP/1.1\r\n",
    "3.4 no settings": PREFACE + headers(1),
    "3.4 an acknowledgement first": PREFACE + frame(SETTINGS, ACK, 0),
    "3.4 a ping first": PREFACE + frame(PING, 0, 0, bytes(8)),
}


@pytest.mark.parametrize("greeting", GREETINGS.values(), ids=GREETINGS)
def test_a_bad_greeting(greeting: bytes) -> None:
    """Preface and SETTINGS come first, or it is not HTTP/2 (3.5/1, 3.5/2)."""
    server = Server(greeting=b"")
    server.hear(greeting)

    assert server.failure() is PROTOCOL


def test_a_greeting_may_come_in_any_pieces() -> None:
    """And is waited for: ``unfinished`` says so."""
    server = Server(greeting=b"")
    for place in range(len(PREFACE)):
        assert server.hear(PREFACE[place : place + 1]) == []
        assert server.connection.unfinished
    server.hear(settings())

    assert not server.connection.unfinished


def test_a_window_of_one() -> None:
    """A client that takes one byte gets one byte (6.9.1/1)."""
    server = Server()
    server.hear(settings((4, 1)) + headers(1))
    server.connection.respond(1, 200, [])

    assert server.connection.send_data(1, b"hello", ended=True) == 1
    assert [found.payload for found in server.said() if found.kind == DATA] == [b"h"]


def test_the_last_of_several_values_counts() -> None:
    """Settings are followed in order (6.5.3/1)."""
    server = Server()
    server.hear(settings((4, 100), (4, 1)) + headers(1))
    server.connection.respond(1, 200, [])

    assert server.connection.sendable(1) == 1


def test_windows_change_with_the_setting() -> None:
    """Of streams that are open already, too, and below zero if need be (6.9.2/1, 6.9.2/2)."""
    server = Server()
    server.hear(settings((4, 3)) + headers(1))
    server.connection.respond(1, 200, [])
    assert server.connection.send_data(1, b"hello") == 3
    server.hear(settings((4, 2)))
    server.hear(window_update(1, 1))
    assert server.connection.sendable(1) == 0
    server.hear(window_update(1, 1))

    assert server.connection.sendable(1) == 1
