"""What a server says: heads, interim heads, bodies, trailers, farewells."""

from __future__ import annotations

import pytest

from doorward.wire.http1 import UnsafeField
from doorward.wire.http2 import ErrorCode, Misuse, PingAnswered, WindowOpened
from wire.http2.by_hand import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    POST,
    RST_STREAM,
    Frame,
    Server,
    asked,
    data,
    frame,
    headers,
    rst_stream,
    settings,
    window_update,
)


def test_a_response() -> None:
    """Head, data, and the end with the last of the data: all in one write."""
    server = asked()
    server.connection.respond(1, 200, [(b"Content-Type", b"text/plain"), (b"Content-Length", b"5")])
    assert server.connection.send_data(1, b"hello", ended=True) == 5
    head, body = server.said()

    assert server.fields(head) == [(b":status", b"200"), (b"content-type", b"text/plain"), (b"content-length", b"5")]
    assert head.flags == END_HEADERS
    assert body == Frame(DATA, END_STREAM, 1, b"hello")
    assert server.connection.open_streams == 0


@pytest.mark.parametrize("status", [200, 204, 206, 304, 400, 404, 500, 299, 503, 599])
def test_statuses(status: int) -> None:
    """By index or spelled out."""
    server = asked()
    server.connection.respond(1, status, [], ended=True)
    (head,) = server.said()

    assert server.fields(head) == [(b":status", b"%d" % status)]
    assert head.flags == END_HEADERS | END_STREAM


def test_a_list_made_for_http_1_can_be_given() -> None:
    """Names become lower case, connection fields stay here, white space around values goes."""  # S-039
    server = asked()
    fields = [
        (b"X-A", b" a\t"),
        (b"Connection", b"close"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Proxy-Connection", b"x"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Upgrade", b"h2c"),
        (b"TE", b"trailers"),
        (b"Set-Cookie", b"a=b"),
        (b"Set-Cookie", b"c=d"),
        (b"X-Long", b"v" * 300),
        (b"X-Obs", b"caf\xe9"),
        (b"X-Empty", b""),
    ]
    server.connection.respond(1, 200, fields, ended=True)
    (head,) = server.said()

    assert server.fields(head)[1:] == [
        (b"x-a", b"a"),
        (b"set-cookie", b"a=b"),
        (b"set-cookie", b"c=d"),
        (b"x-long", b"v" * 300),
        (b"x-obs", b"caf\xe9"),
        (b"x-empty", b""),
    ]


@pytest.mark.parametrize(
    "field",
    [
        (b"X", b"a\r\nb"),
        (b"X", b"a\nb"),
        (b"X", b"a\0b"),
        (b"X", b"\x7f"),
        (b"X\r\n", b"a"),
        (b"X A", b"a"),
        (b"", b"a"),
        (b":x", b"a"),
        (b"Connection", b"a\r\nb"),
    ],
)
def test_unsafe_fields_are_not_written(field: tuple[bytes, bytes]) -> None:
    """Nothing is sent at all, and another head may be; not only the first time."""  # S-045
    server = asked()
    for _ in range(2):
        with pytest.raises(UnsafeField):
            server.connection.respond(1, 200, [(b"A", b"b"), field])
    assert server.said() == []
    with pytest.raises(UnsafeField):
        server.connection.respond(1, 999, [])
    server.connection.respond(1, 500, [], ended=True)

    assert len(server.said()) == 1


def test_a_long_head_is_continued() -> None:
    """In frames that the client takes."""
    server = asked()
    server.connection.respond(1, 200, [(b"a", b"x" * 40000)], ended=True)
    first, second, third = server.said()

    assert [(found.kind, found.flags, len(found.payload)) for found in (first, second)] == [
        (HEADERS, END_STREAM, 16384),
        (CONTINUATION, 0, 16384),
    ]
    assert (third.kind, third.flags) == (CONTINUATION, END_HEADERS)
    whole = Frame(HEADERS, 0, 1, first.payload + second.payload + third.payload)
    assert server.fields(whole)[1] == (b"a", b"x" * 40000)


def test_data_goes_in_frames_that_the_client_takes() -> None:
    """16 KiB unless it said more."""
    server = asked()
    server.connection.respond(1, 200, [])
    server.connection.send_data(1, bytes(40000))
    assert [len(found.payload) for found in server.said()[1:]] == [16384, 16384, 7232]

    server = asked(settings((5, 20000)))
    server.connection.respond(1, 200, [])
    server.connection.send_data(1, bytes(40000), ended=True)
    assert [(len(found.payload), found.flags) for found in server.said()[1:]] == [(20000, 0), (20000, END_STREAM)]


def test_what_does_not_fit_waits_with_its_owner() -> None:
    """As much goes as the windows allow; the end goes with the last of it."""
    server = asked(settings((4, 10)))
    server.connection.respond(1, 200, [])
    assert server.connection.sendable(1) == 10
    assert server.connection.send_data(1, b"0123456789abcde", ended=True) == 10
    assert server.connection.send_data(1, b"abcde", ended=True) == 0
    assert [(found.kind, found.flags, found.payload) for found in server.said()[1:]] == [(DATA, 0, b"0123456789")]
    assert server.hear(window_update(1, 3)) == [WindowOpened(1)]
    assert server.connection.send_data(1, b"abcde", ended=True) == 3
    server.hear(window_update(1, 100))
    assert server.connection.send_data(1, b"de", ended=True) == 2

    assert [(found.flags, found.payload) for found in server.said()] == [(0, b"abc"), (END_STREAM, b"de")]


def test_the_end_alone_needs_no_window() -> None:
    """An empty last frame always goes."""
    server = asked(settings((4, 0)))
    server.connection.respond(1, 200, [])
    assert server.connection.send_data(1, b"") == 0
    assert server.connection.send_data(1, b"", ended=True) == 0

    assert server.said()[1:] == [Frame(DATA, END_STREAM, 1, b"")]


def test_interim_responses() -> None:
    """103 with links, as many as there are, before the final head and not after it."""
    server = asked()
    server.connection.inform(1, 103, [(b"Link", b"</a.css>; rel=preload")])
    server.connection.inform(1, 100, [])
    server.connection.respond(1, 200, [], ended=False)
    first, second, final = server.said()

    assert server.fields(first) == [(b":status", b"103"), (b"link", b"</a.css>; rel=preload")]
    assert server.fields(second) == [(b":status", b"100")]
    assert first.flags == second.flags == END_HEADERS
    assert server.fields(final) == [(b":status", b"200")]
    with pytest.raises(Misuse):
        server.connection.inform(1, 103, [])


def test_trailers() -> None:
    """They end the response (gRPC's status)."""
    server = asked()
    server.connection.respond(1, 200, [(b"Content-Type", b"application/grpc")])
    server.connection.send_data(1, b"message")
    server.connection.send_trailers(1, [(b"Grpc-Status", b"0")])
    _, body, trailers = server.said()[0:3]

    assert body.flags == 0
    assert trailers.flags == END_HEADERS | END_STREAM
    assert server.decoder.decode(trailers.payload, raw=True) == [(b"grpc-status", b"0")]
    assert server.connection.open_streams == 0


def test_misuse_is_told() -> None:
    """What can never be right is not sent silently."""
    server = asked()
    connection = server.connection
    with pytest.raises(Misuse):
        connection.send_data(1, b"x")
    with pytest.raises(Misuse):
        connection.send_trailers(1, [])
    with pytest.raises(Misuse):
        connection.respond(1, 103, [])
    with pytest.raises(Misuse):
        connection.inform(1, 101, [])
    with pytest.raises(Misuse):
        connection.ping(b"short")
    connection.respond(1, 200, [])
    with pytest.raises(Misuse):
        connection.respond(1, 200, [])


def test_commands_for_a_stream_that_is_gone_do_nothing() -> None:
    """Its end may be an event that nobody has looked at yet."""
    server = asked()
    server.connection.respond(1, 200, [])
    server.connection.take()
    server.hear(rst_stream(1))
    connection = server.connection
    connection.respond(1, 200, [])
    connection.inform(1, 103, [])
    connection.send_trailers(1, [])
    connection.consume(1, 10)
    connection.reset(1)

    assert connection.send_data(1, b"hello", ended=True) == 5
    assert connection.sendable(1) == 0
    assert server.said() == []


def test_an_answer_before_the_end_of_the_question() -> None:
    """The client is told to stop, without blame, and what is still under way means nothing."""  # S-032
    server = Server()
    server.hear(headers(1, POST, ended=False) + data(1, b"some"))
    server.connection.respond(1, 413, [], ended=True)
    assert [(found.kind, found.number) for found in server.said()[1:]] == [(RST_STREAM, ErrorCode.NO_ERROR)]

    assert server.hear(data(1, b"more") + headers(1, [("x", "y")])) == []
    assert not server.connection.failed


def test_a_reset_of_ours() -> None:
    """The client hears the code."""
    server = asked()
    server.connection.reset(1, ErrorCode.INTERNAL_ERROR)

    assert [(found.kind, found.number) for found in server.said()] == [(RST_STREAM, ErrorCode.INTERNAL_ERROR)]


def test_a_shrunk_table_is_acknowledged_in_the_next_block() -> None:
    """The client that offers less than 4 KiB is told that nothing is in its table (RFC 7541 section 4.2)."""
    server = Server()
    server.decoder.header_table_size = 0
    server.hear(settings((1, 0)) + headers(1) + headers(3))
    server.connection.take()
    server.connection.respond(1, 200, [(b"x", b"y")], ended=True)
    server.connection.respond(3, 200, [(b"x", b"y")], ended=True)
    first, second = server.said()

    assert first.payload[:1] == b"\x20"
    assert server.fields(first) == [(b":status", b"200"), (b"x", b"y")]
    assert second.payload == first.payload[1:]


def test_a_table_that_grows_needs_nothing() -> None:
    """Browsers offer 64 KiB."""
    server = asked(settings((1, 65536)))
    server.connection.respond(1, 200, [], ended=True)

    assert server.said()[0].payload == b"\x88"


def test_a_ping_of_ours() -> None:
    """Comes back as it went."""
    server = Server()
    server.connection.ping(b"12345678")
    assert server.said() == [Frame(PING, 0, 0, b"12345678")]

    assert server.hear(frame(PING, ACK, 0, b"12345678")) == [PingAnswered(b"12345678")]


def test_streams_do_not_hurt_one_another() -> None:
    """A window that opens for one is announced for one; the connection's for all."""
    server = Server()
    server.hear(settings((4, 0)) + headers(1) + headers(3))
    assert server.hear(window_update(3, 5)) == [WindowOpened(3)]
    assert (server.connection.sendable(1), server.connection.sendable(3)) == (0, 5)
    assert server.hear(window_update(0, 5)) == [WindowOpened(0)]
    assert WindowOpened(0) in server.hear(settings((4, 7)))
    assert (server.connection.sendable(1), server.connection.sendable(3)) == (7, 12)
