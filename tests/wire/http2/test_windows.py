"""Flow control both ways: what may come before it is taken, and what waits for a window (RFC 9113 section 5.2)."""

from __future__ import annotations

import pytest

from doorward.wire.http2 import (
    DataReceived,
    ErrorCode,
    Http2Limits,
    StreamReset,
    WindowOpened,
)
from wire.http2.by_hand import (
    DATA,
    PADDED,
    POST,
    RST_STREAM,
    WINDOW_UPDATE,
    Server,
    data,
    frame,
    headers,
    rst_stream,
    settings,
    window_update,
)

CALM = ErrorCode.ENHANCE_YOUR_CALM


# --- our windows ---


def test_a_stream_takes_64_kib_before_anybody_took_it() -> None:
    """A byte more ends the stream; nothing was taken, so nothing more was invited."""
    server = Server()
    server.hear(headers(1, POST, ended=False) + data(1, bytes(16384)) * 4)
    assert server.said() == []
    server.hear(data(1, b"x"))

    assert server.resets() == [(1, ErrorCode.FLOW_CONTROL_ERROR)]


def test_a_connection_takes_a_mebibyte() -> None:
    """Over all of its streams; a byte more ends the connection."""
    server = Server()
    for stream in range(1, 33, 2):
        server.hear(headers(stream, POST, ended=False) + data(stream, bytes(16384)) * 4)
    server.hear(headers(33, POST, ended=False))
    assert not server.connection.failed
    server.hear(data(33, b"x"))

    assert server.failure() is ErrorCode.FLOW_CONTROL_ERROR


def test_what_is_taken_may_come_again() -> None:
    """A window opens when half of it is free, for the stream and for the connection."""
    server = Server()
    server.hear(headers(1, POST, ended=False) + data(1, bytes(16384)) * 4)
    server.connection.consume(1, 32767)
    assert server.said() == []
    server.connection.consume(1, 1)
    assert [(found.kind, found.stream, found.number) for found in server.said()] == [(WINDOW_UPDATE, 1, 32768)]
    server.hear(data(1, bytes(16384)) * 2)
    assert not server.resets()

    taken = 32768
    while taken < 1 << 19:
        server.connection.consume(1, 32768)
        taken += 32768
        server.hear(data(1, bytes(16384)) * 2)
    updates = [(found.stream, found.number) for found in server.said() if found.kind == WINDOW_UPDATE]
    assert updates.count((0, 1 << 19)) == 1
    assert len(updates) == 16


def test_padding_is_taken_at_once() -> None:
    """It counts, but nobody is there to take it."""
    server = Server()
    server.hear(headers(1, POST, ended=False))
    padded = frame(DATA, PADDED, 1, b"\xff" + b"x" * 100 + bytes(255))
    for _ in range(1000):
        (event,) = [event for event in server.hear(padded) if isinstance(event, DataReceived)]
        server.connection.consume(1, len(event.data))

    assert not server.connection.failed
    assert server.resets() == []


def test_an_ended_side_needs_no_window() -> None:
    """After the last DATA only the connection's window opens."""
    server = Server()
    server.hear(headers(1, POST, ended=False) + data(1, bytes(16384)) * 3 + data(1, bytes(16384), ended=True))
    server.connection.consume(1, 65536)

    assert server.said() == []


@pytest.mark.parametrize("how", ["reset", "peer", "answered"])
def test_a_stream_that_is_over_gives_its_share_back(how: str) -> None:
    """What nobody will take any more does not narrow the connection for the others."""
    server = Server()
    for number in range(100):
        stream = 2 * number + 1
        server.hear(headers(stream, POST, ended=False) + data(stream, bytes(16384)) * 4)
        if how == "reset":
            server.connection.reset(stream)
        elif how == "peer":
            server.hear(rst_stream(stream))
        else:
            server.connection.respond(stream, 413, [], ended=True)
        assert not server.connection.failed
    assert sum(found.number for found in server.said() if found.kind == WINDOW_UPDATE) >= 99 * 65536 - (1 << 19)


def test_late_data_counts_for_the_connection() -> None:
    """After a reset it is thrown away and given back."""
    server = Server()
    server.hear(headers(1, POST, ended=False))
    server.connection.reset(1)
    for _ in range(1000):
        assert server.hear(data(1, bytes(16384))) == []

    assert not server.connection.failed
    assert sum(found.number for found in server.said() if found.kind == WINDOW_UPDATE) >= 1000 * 16384 - (1 << 19)


# --- their windows ---


def test_a_stalled_stream_is_given_up() -> None:
    """Data that waits for a window for 60 s without a byte taken will wait for ever."""  # S-909 S-902
    server = Server()
    server.hear(settings((4, 10)) + headers(1) + headers(3))
    server.connection.respond(1, 200, [])
    assert server.connection.send_data(1, bytes(20)) == 10
    server.connection.respond(3, 200, [])
    assert server.connection.send_data(3, bytes(10)) == 10
    server.connection.take()
    assert server.connection.sweep(100.0) == []
    assert server.connection.sweep(159.9) == []

    assert server.connection.sweep(160.0) == [StreamReset(1, ErrorCode.CANCEL, "stalled", by_peer=False)]
    assert [(found.kind, found.stream) for found in server.said()] == [(RST_STREAM, 1)]
    assert server.connection.open_streams == 1
    assert server.connection.sweep(1000.0) == []


def test_a_slow_stream_is_not_stalled() -> None:
    """Every byte that goes out starts the time anew."""  # S-902
    server = Server()
    server.hear(settings((4, 1)) + headers(1))
    server.connection.respond(1, 200, [])
    server.connection.send_data(1, bytes(20))
    for minute in range(1, 10):
        assert server.connection.sweep(minute * 50.0) == []
        assert server.hear(window_update(1, 1)) == [WindowOpened(1)]
        assert server.connection.send_data(1, bytes(20)) == 1


def test_a_full_connection_stalls_its_streams() -> None:
    """Its window counts as well as the stream's own."""  # S-909
    server = Server()
    server.hear(settings((4, 1 << 20)) + headers(1))
    server.connection.respond(1, 200, [])
    assert server.connection.send_data(1, bytes(1 << 17)) == 65535
    assert server.connection.sendable(1) == 0
    server.connection.sweep(1.0)

    assert [type(event) for event in server.connection.sweep(61.0)] == [StreamReset]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stream_window", 65534),
        ("connection_window", 65534),
        ("stream_window", 1 << 31),
        ("frame", 16383),
        ("frame", 1 << 24),
        ("table", 4095),
    ],
)
def test_limits_cannot_contradict_the_protocol(name: str, value: int) -> None:
    """What a peer may assume before it heard of our settings must hold."""
    with pytest.raises(ValueError, match=r"cannot be|must be"):
        Http2Limits(**{name: value})
