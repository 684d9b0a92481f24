"""Servers that answer with what is no response, or break the connection."""

from __future__ import annotations

import pytest

from doorward.wire.http2 import (
    ClientConnection,
    ConnectionFailed,
    ErrorCode,
    ResponseReceived,
    StreamReset,
)
from wire.http2.by_hand import (
    END_HEADERS,
    HEADERS,
    OK,
    PING,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Client,
    block,
    data,
    frame,
    headers,
    settings,
)


def test_the_greeting() -> None:
    """Preface, settings without push, a window for the connection."""
    client = Client()

    assert [found.kind for found in client.own_greeting] == [SETTINGS, WINDOW_UPDATE]
    payload = client.own_greeting[0].payload
    assert payload[:6] == b"\x00\x02\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("method", "sent", "reason"),
    [
        (b"GET", headers(1, [("server", "x")]), "pseudo"),
        (b"GET", headers(1, []), "pseudo"),
        (b"GET", headers(1, [*OK, *OK]), "pseudo"),
        (b"GET", headers(1, [*OK, (":path", "/")]), "pseudo"),
        (b"GET", headers(1, [("x", "y"), *OK]), "pseudo"),
        (b"GET", headers(1, [(":status", "20")]), "status"),
        (b"GET", headers(1, [(":status", "+20")]), "status"),
        (b"GET", headers(1, [(":status", "2000")]), "status"),
        (b"GET", headers(1, [(":status", "101")]), "status"),  # S-034
        (b"GET", headers(1, [(":status", "103")]), "interim_ended"),
        (b"GET", headers(1, [*OK, ("transfer-encoding", "chunked")]), "connection_field"),  # S-034
        (b"GET", headers(1, [*OK, ("X", "y")]), "header_name"),
        (b"GET", headers(1, [*OK, ("x", "a\r\nb")]), "header_value"),  # S-034
        (b"GET", headers(1, [*OK, ("x", "a\0b")]), "header_value"),  # S-034
        (b"GET", headers(1, [*OK, ("content-length", "5"), ("content-length", "5")], False), "cl_dup"),  # S-034
        (b"GET", headers(1, [*OK, ("content-length", "x")], False), "cl_syntax"),  # S-034
        (b"GET", headers(1, [*OK, ("content-length", "5")]), "content_length"),
        (b"GET", headers(1, [*OK, ("content-length", "1")], False) + data(1, b"xx"), "content_length"),
        (b"GET", headers(1, [*OK, ("content-length", "2")], False) + data(1, b"x", True), "content_length"),
        (b"HEAD", headers(1, OK, False) + data(1, b"x"), "content_length"),  # S-035
        (b"GET", headers(1, [(":status", "204")], False) + data(1, b"x"), "content_length"),  # S-035
        (b"GET", headers(1, [(":status", "304")], False) + data(1, b"x"), "content_length"),  # S-035
        (b"GET", data(1, b"x"), "data_before_head"),
        (b"GET", headers(1, OK, False) + headers(1, [("a", "b")], False), "trailers_unended"),
    ],
)
def test_responses_that_are_none(method: bytes, sent: bytes, reason: str) -> None:
    """Only the stream ends, and whoever waits learns that nothing more comes."""
    client = Client()
    client.ask(method)
    other = client.ask()
    client.connection.take()
    events = client.hear(sent)

    assert events[-1] == StreamReset(1, ErrorCode.PROTOCOL_ERROR, reason, by_peer=False)
    assert [(found.kind, found.stream) for found in client.said()] == [(RST_STREAM, 1)]
    assert isinstance(client.hear(headers(other, OK))[0], ResponseReceived)


def test_interim_responses_are_bounded() -> None:
    """Sixteen are passed on."""
    client = Client()
    client.ask()
    interim = headers(1, [(":status", "103")], ended=False)
    assert len(client.hear(interim * 16)) == 16

    assert client.hear(interim) == [StreamReset(1, ErrorCode.ENHANCE_YOUR_CALM, "interim", by_peer=False)]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (headers(3, OK), ErrorCode.PROTOCOL_ERROR),
        (headers(2, OK), ErrorCode.PROTOCOL_ERROR),
        (frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + block([(":method", "GET")])), ErrorCode.PROTOCOL_ERROR),
        (settings((2, 1)), ErrorCode.PROTOCOL_ERROR),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ErrorCode.FRAME_SIZE_ERROR),
        (frame(HEADERS, END_HEADERS, 1, b"\xff"), ErrorCode.COMPRESSION_ERROR),
    ],
)
def test_servers_that_break_the_connection(sent: bytes, code: ErrorCode) -> None:
    """Pushes, streams nobody opened, another protocol."""
    client = Client()
    client.ask()

    events = client.hear(sent)
    assert isinstance(events[-1], ConnectionFailed)
    assert events[-1].code is code
    assert client.connection.retired
    assert not client.connection.can_open


def test_the_first_frame_must_be_settings() -> None:
    """Or it is not HTTP/2 that answers."""
    connection = ClientConnection(0.0)
    (event,) = connection.receive(frame(PING, 0, 0, bytes(8)), 0.0)

    assert isinstance(event, ConnectionFailed)
