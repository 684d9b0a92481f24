"""Peers that want to exhaust us: every bound of section 3 that concerns HTTP/2, just under and just over it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from doorward.wire.http2 import (
    ErrorCode,
    Http2Limits,
    RequestReceived,
    StreamReset,
    TrailersReceived,
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
    SETTINGS,
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


def test_pings_that_data_calls_for_are_free() -> None:
    """gRPC measures the line by one for each piece of data that it gets; without data they count again."""
    server = Server()
    server.hear(headers(1) + window_update(0, 1 << 20) + window_update(1, 1 << 20))
    server.connection.respond(1, 200, [])
    for _ in range(5000):
        server.connection.send_data(1, b"x")
        server.hear(frame(PING, 0, 0, bytes(8)))
        server.connection.take()
    assert server.failure() is None

    spend(server, lambda _: frame(PING, 0, 0, bytes(8)), 60_000)

    assert server.failure() is CALM


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
