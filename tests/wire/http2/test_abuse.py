"""Peers that want to exhaust us: every bound of section 3 that concerns HTTP/2, just under and just over it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from doorward.wire.http2 import (
    DataReceived,
    ErrorCode,
    Http2Limits,
    RequestReceived,
    StreamReset,
    TrailersReceived,
    WindowOpened,
)
from wire.http2.by_hand import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GET,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    POST,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Fields,
    Server,
    block,
    data,
    frame,
    headers,
    rst_stream,
    settings,
    window_update,
)

CALM = ErrorCode.ENHANCE_YOUR_CALM


def spend(server: Server, attack: Callable[[int], bytes], times: int) -> int:
    """Repeat ``attack`` (given an unused stream each time); how often before the connection ended."""
    for number in range(times):
        server.hear(attack(2 * number + 1))
        if server.connection.failed:
            return number
        server.connection.take()
    return times


RESETS: dict[str, Callable[[int], bytes]] = {
    "rapid reset": lambda stream: headers(stream) + rst_stream(stream),  # S-904
    "DATA on a half-closed stream": lambda stream: headers(stream) + data(stream, b"x"),  # S-905
    "window overflow": lambda stream: headers(stream) + window_update(stream, 0x7FFFFFFF),  # S-905
    "window update of zero": lambda stream: headers(stream) + window_update(stream, 0),  # S-905
    "malformed requests": lambda stream: headers(stream, [*GET, ("X", "y")]),  # S-905
    "content-length": lambda stream: headers(stream, [*GET, ("content-length", "1")]),  # S-905
    "resets of what is over": lambda stream: headers(1) + rst_stream(1) if stream == 1 else rst_stream(1),
}


@pytest.mark.parametrize("attack", RESETS.values(), ids=RESETS)
def test_resets_are_bounded(attack: Callable[[int], bytes]) -> None:
    """Whoever sends them: a thousand at once, and not one more."""
    server = Server()

    assert spend(server, attack, 10_000) == 1000
    assert server.failure() is CALM


def test_resets_at_a_human_pace() -> None:
    """33 in a second are fine for as long as anybody likes, 40 are not."""  # S-904
    for rate, survives in ((33, True), (40, False)):
        server = Server()
        stream = 1
        for second in range(300):
            server.now = float(second)
            for _ in range(rate):
                server.hear(headers(stream) + rst_stream(stream))
                stream += 2
        assert server.connection.failed is not survives


def test_requests_that_are_reset_are_given_up() -> None:
    """Each reset is an event, so that whatever works on the request can stop."""  # S-904
    server = Server()
    spend(server, RESETS["rapid reset"], 10)

    requests = [event.stream for event in server.events if isinstance(event, RequestReceived)]
    resets = [event.stream for event in server.events if isinstance(event, StreamReset)]
    assert requests == resets
    assert server.connection.open_streams == 0


ODDITIES: dict[str, bytes] = {
    "PING": frame(PING, 0, 0, bytes(8)),  # S-907
    "PING ACK": frame(PING, ACK, 0, bytes(8)),  # S-907
    "SETTINGS ACK": frame(SETTINGS, ACK, 0),  # S-907
    "PRIORITY": frame(PRIORITY, 0, 5, bytes(5)),  # S-907
    "WINDOW_UPDATE": window_update(0, 1),  # S-907
    "empty DATA": data(1),  # S-907
    "DATA of padding": frame(DATA, PADDED, 1, b"\x05" + bytes(5)),  # S-907
    **{f"type {kind:#x}": frame(kind, 0xFF, 1, b"?") for kind in range(0x0A, 0x10)},  # S-907
    "GOAWAY": frame(GOAWAY, 0, 0, bytes(8)),
}


@pytest.mark.parametrize("sent", ODDITIES.values(), ids=ODDITIES)
def test_frames_without_purpose_are_bounded(sent: bytes) -> None:
    """A thousand at once do no harm; more of them do no harm to anybody else."""
    server = Server()
    server.hear(headers(1, POST, ended=False))

    done = spend(server, lambda _: sent, 10_000)
    assert 990 <= done <= 1002  # the greeting is among them, and a stream allows two window updates
    assert server.failure() is CALM


@pytest.mark.parametrize("sent", [headers(1), data(1)])
def test_frames_for_what_is_over_are_bounded(sent: bytes) -> None:
    """They are ignored after our reset, but not for ever."""  # S-905 S-907
    server = Server()
    server.hear(headers(1, POST, ended=False))
    server.connection.reset(1)

    assert spend(server, lambda _: sent, 10_000) == 999
    assert server.failure() is CALM


def test_requests_after_the_farewell_are_bounded() -> None:
    """Whoever was told twice that there will be no more of them has no excuse."""  # S-907
    server = Server()
    server.connection.shut_down()
    server.connection.shut_down()
    server.connection.take()

    assert spend(server, headers, 10_000) == 999
    assert server.failure() is CALM


def test_settings_are_bounded() -> None:
    """Each costs an answer."""  # S-907
    server = Server()

    assert spend(server, lambda _: settings((4, 65535)), 10_000) == 999
    assert server.failure() is CALM


def test_a_settings_frame_has_32_parameters_at_most() -> None:
    """It may have sixteen kilobytes of them otherwise (CVE-2020-11080)."""
    server = Server()
    server.hear(settings(*[(4, 65535)] * 32))
    assert not server.connection.failed
    server.hear(settings(*[(4, 65535)] * 33))

    assert server.failure() is CALM


def test_window_updates_that_data_calls_for_are_free() -> None:
    """A long download needs thousands of them."""
    server = Server()
    server.hear(settings((4, 1 << 30)) + window_update(0, 1 << 30))
    server.hear(headers(1))
    server.connection.respond(1, 200, [])
    for _ in range(3000):
        assert server.connection.send_data(1, bytes(1000)) == 1000
        server.connection.take()
        server.hear(window_update(0, 1000) + window_update(1, 1000))

    assert not server.connection.failed


def test_who_asks_must_read() -> None:
    """A thousand answers may wait to be written; the next one is the last (CVE-2019-9512)."""
    server = Server(Http2Limits(oddity_burst=1 << 30))
    server.hear(frame(PING, 0, 0, bytes(8)) * 1000)
    assert not server.connection.failed
    assert len(server.said()) == 1000
    server.hear(frame(PING, 0, 0, bytes(8)) * 1001)

    assert server.failure() is CALM


def with_continuations(count: int, size: int = 0) -> bytes:
    whole = block([*GET, ("a", "x" * size)])
    parts = [whole[:16000], *(whole[16000 + 8000 * n : 24000 + 8000 * n] for n in range(count))]
    made = frame(HEADERS, END_STREAM, 1, parts[0])
    for number, part in enumerate(parts[1:], 1):
        made += frame(CONTINUATION, END_HEADERS if number == count else 0, 1, part)
    return made


def test_eight_continuations() -> None:
    """Are more than anybody needs; the ninth ends the connection, empty or not."""  # S-906
    server = Server()
    assert isinstance(server.hear(with_continuations(8))[0], RequestReceived)

    server = Server()
    server.hear(frame(HEADERS, END_STREAM, 1, b"") + frame(CONTINUATION, 0, 1, b"") * 9)
    assert server.failure() is CALM


def test_a_block_of_64_kib() -> None:
    """It is refused when it is too large, not when it ends."""  # S-906
    part = frame(CONTINUATION, 0, 1, bytes(16384))
    server = Server()
    server.hear(frame(HEADERS, 0, 1, bytes(16384)) + part * 3)
    assert not server.connection.failed
    assert server.connection.unfinished
    server.hear(frame(CONTINUATION, 0, 1, b"x"))

    assert server.failure() is CALM


@pytest.mark.parametrize(("filler", "ends"), [(8192 - 34, False), (8192 - 33, True)])
def test_trailers_may_count_8_kib(filler: int, ends: bool) -> None:
    """32 for each field included; more ends the stream."""
    server = Server()
    trailers: Fields = [("a", "x" * (filler + 1))]
    events = server.hear(headers(1, POST, ended=False) + headers(1, trailers))

    assert isinstance(events[-1], StreamReset if ends else TrailersReceived)


def test_trailers_that_must_not_be() -> None:
    """Framing, routing, credentials: dropped, never passed on as fields."""  # S-020
    forbidden = ("content-length", "host", "authorization", "cookie", "te", "set-cookie", "content-type")
    server = Server()
    value = {"te": "trailers", "content-length": "1"}
    sent = [(name, value.get(name, "x")) for name in forbidden]
    events = server.hear(headers(1, POST, ended=False) + headers(1, [*sent, ("grpc-status", "0")]))

    assert events[-1] == TrailersReceived(1, ((b"grpc-status", b"0"),))


@pytest.mark.parametrize("field", [("transfer-encoding", "chunked"), ("Upper", "x"), ("a", "b\r\n"), ("", "x")])
def test_malformed_trailers(field: tuple[str, str]) -> None:
    """They are held to the same rules as a head."""  # S-038 S-039
    server = Server()
    server.hear(headers(1, POST, ended=False) + headers(1, [field]))

    assert server.resets() == [(1, ErrorCode.PROTOCOL_ERROR)]


def test_a_hundred_streams_at_once() -> None:
    """The next is refused, and may come when one has ended."""
    server = Server()
    server.hear(b"".join(headers(stream, POST, ended=False) for stream in range(1, 203, 2)))
    assert server.resets() == [(201, ErrorCode.REFUSED_STREAM)]
    server.hear(rst_stream(1))
    (event,) = server.hear(headers(203, POST, ended=False))

    assert isinstance(event, RequestReceived)
    assert server.connection.open_streams == 100


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
