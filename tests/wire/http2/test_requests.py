"""What a request's fields mean, and which of them are none (security contract, room A)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorward.wire.http1 import DEFAULT_LIMITS, RequestHead, RequestReader
from doorward.wire.http2 import DataReceived, ErrorCode, RequestReceived, RequestRefused, ServerConnection, StreamReset
from wire.http2.by_hand import (
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    GET,
    GREETING,
    HEADERS,
    POST,
    WEBSOCKET,
    Fields,
    Server,
    block,
    data,
    frame,
    headers,
    without,
)


def head_of(fields: Fields, ended: bool = True, tls: bool = True) -> RequestHead:
    (event,) = Server(tls=tls).hear(headers(1, fields, ended))
    assert isinstance(event, RequestReceived), event
    assert event.ended is ended
    return event.head


def test_a_request_is_what_it_would_be_in_http_1() -> None:
    """The same head, but for the version and what HTTP/2 has no use for."""
    fields = [("user-agent", "x"), ("cookie", "a=b"), ("x-obs", "caf\xe9"), ("content-length", "5")]
    found = head_of(
        [(":method", "POST"), (":scheme", "https"), (":path", "/%7ea/./b%2f?q=%31"),
         (":authority", "APP.example.test:8443"), *fields],
        ended=False,
    )  # fmt: skip
    reader = RequestReader(DEFAULT_LIMITS, tls=True)
    reader.feed(
        b"POST /%7ea/./b%2f?q=%31 HTTP/1.1\r\nHost: APP.example.test:8443\r\n"
        + b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in fields)
        + b"\r\n"
    )
    other = reader.next_head()

    assert other is not None
    for name in ("method", "target", "path", "query", "host", "authority", "body_length", "keep_alive", "websocket"):
        assert getattr(found, name) == getattr(other, name)
    assert found.headers == other.headers[1:]
    assert found.version == b"HTTP/2.0"
    assert found.path == b"/~a/b%2F"
    assert found.connection == frozenset()


@pytest.mark.parametrize(
    ("fields", "ended", "length"),
    [
        ([], True, 0),
        ([], False, None),
        ([("content-length", "5")], False, 5),
        ([("content-length", "0")], False, 0),
        ([("content-length", "0")], True, 0),
    ],
)
def test_body_length(fields: Fields, ended: bool, length: int | None) -> None:
    """As stated; unknown if a body follows and nothing is stated."""
    assert head_of([*POST, *fields], ended).body_length == length


def test_host_stands_in_for_authority() -> None:
    """A gateway may have passed it on; equal in both places is fine."""  # S-042
    host = ("host", "App.example.test")
    for fields in (without(":authority", host), [*GET, host], [*GET, ("host", "app.example.test:443")]):
        assert head_of(fields).host == b"app.example.test"


def test_cookies_are_one_field() -> None:
    """However many fields they came in, where the first one stood."""  # S-043
    found = head_of([*GET, ("cookie", "a=b"), ("x", "y"), ("cookie", "c=d"), ("cookie", "e=f")])

    assert found.headers == ((b"cookie", b"a=b; c=d; e=f"), (b"x", b"y"))


def test_expectation() -> None:
    """The client waits for an interim response, as in HTTP/1."""
    assert head_of([*POST, ("expect", "100-Continue")], ended=False).expect_continue


def test_options_for_the_server_itself() -> None:
    """``*`` is a target for OPTIONS alone."""  # S-026
    assert head_of([(":method", "OPTIONS"), *without(":method")[:1], (":path", "*"), GET[3]]).path == b"*"


def test_te_trailers_is_kept() -> None:
    """gRPC asks for it."""
    assert head_of([*GET, ("te", "trailers")]).headers == ((b"te", b"trailers"),)


def test_equal_fields_are_one_tuple() -> None:
    """On any connection, whatever the path: who looks at fields may remember them by identity."""
    first = head_of([*GET, ("x-same", "1")])
    second = head_of([*without(":path", (":path", "/other")), ("x-same", "1")])

    assert first.headers is second.headers


def test_a_repeated_block_gives_the_same_head() -> None:
    """It is looked up, as long as the table is unchanged; with and without a body are told apart."""
    server = Server()
    server.hear(headers(1) + headers(3) + headers(5, ended=False))
    first, second, third = (event.head for event in server.events if isinstance(event, RequestReceived))

    assert first is second
    assert first.body_length == 0
    assert third.body_length is None


def test_a_block_means_what_the_table_says() -> None:
    """The same bytes after the table has changed are another request."""
    server = Server()
    first = server.encoder.encode([*GET[:2], (":path", "/one"), GET[3]])
    again = server.encoder.encode([*GET[:2], (":path", "/one"), GET[3]])

    def ask(stream: int, block: bytes) -> bytes:
        (event,) = server.hear(frame(HEADERS, END_STREAM | END_HEADERS, stream, block))
        assert isinstance(event, RequestReceived)
        return event.head.path

    assert [ask(1, first), ask(3, again), ask(5, again)] == [b"/one"] * 3
    assert ask(7, server.encoder.encode([*GET[:2], (":path", "/two"), GET[3]])) == b"/two"
    assert ask(9, again) == b"/two"


def test_a_websocket_is_a_get() -> None:
    """Extended CONNECT looks from here on like the handshake that it is in HTTP/1 (RFC 8441)."""
    found = head_of(WEBSOCKET, ended=False)

    assert found.websocket
    assert (found.method, found.path, found.query, found.body_length) == (b"GET", b"/chat", b"x", 0)
    assert found.host == b"app.example.test"


def test_what_goes_through_a_websocket_is_no_body() -> None:
    """Any amount of data may follow."""
    server = Server()
    events = server.hear(headers(1, WEBSOCKET, ended=False) + data(1, b"x" * 100))

    assert len(events) == 2


@pytest.mark.parametrize(
    ("good", "bad", "status"),
    [
        (without(":path", (":path", "/" + "a" * 8191)), without(":path", (":path", "/" + "a" * 8192)), 414),
        ([*GET, ("a", "x" * 16383)], [*GET, ("a", "x" * 16384)], 431),
        ([*GET, *[("a", "b")] * 100], [*GET, *[("a", "b")] * 101], 431),
        ([*GET, *[("cookie", "a=b")] * 200], [*GET, *[("cookie", "a=b")] * 201], 431),
        ([*GET, ("cookie", "a=b" + "; a=b" * 199)], [*GET, ("cookie", "a=b" + "; a=b" * 200)], 431),
        ([*GET, *[("cookie", "a=" + "x" * 5456)] * 3], [*GET, *[("cookie", "a=" + "x" * 5457)] * 3], 431),
    ],
    ids=["request line", "field", "fields", "cookies", "cookies in one", "cookies together"],
)
def test_limits(good: Fields, bad: Fields, status: int) -> None:
    """Just under a limit works, just over it is told by the status; crumbs of a cookie are one field."""  # S-911
    server = Server()
    (passed,) = server.hear(cut(1, good))
    (refused,) = server.hear(cut(3, bad))

    assert isinstance(passed, RequestReceived)
    assert isinstance(refused, RequestRefused)
    assert refused.rejected.status == status


def cut(stream: int, fields: Fields) -> bytes:
    """HEADERS and CONTINUATION frames, as many as it takes."""
    whole = block(fields)
    parts = [whole[place : place + 16384] for place in range(0, len(whole), 16384)]
    made = b""
    for number, part in enumerate(parts):
        flags = (END_HEADERS if part is parts[-1] else 0) | (END_STREAM if not number else 0)
        made += frame(CONTINUATION if number else HEADERS, flags, stream, part)
    return made


def test_a_list_may_count_64_kib() -> None:
    """Over that it is 431, and the next request is read; far over that the connection ends."""  # S-908
    size = sum(len(name) + len(value) + 32 for name, value in GET)
    filler = [("a", "x" * (16000 - 33))] * 4
    last = ("b", "x" * (65536 - size - 64000 - 33))
    server = Server()
    (passed,) = server.hear(cut(1, [*GET, *filler, last]))
    assert isinstance(passed, RequestReceived)
    (refused,) = server.hear(cut(3, [*GET, *filler, (last[0], last[1] + "x")]))
    assert isinstance(refused, RequestRefused)
    assert refused.rejected.status == 431
    (event,) = server.hear(headers(5))
    assert isinstance(event, RequestReceived)
    entry = b"\x40" + block([("a", "x" * 4000)])[1:]
    server.hear(frame(HEADERS, END_STREAM | END_HEADERS, 7, entry + b"\xbe" * 40))

    assert server.failure() is ErrorCode.ENHANCE_YOUR_CALM


def test_body_and_content_length() -> None:
    """Too much ends the stream at once, too little when it ends; nobody sees a whole request."""  # S-040
    length = [*POST, ("content-length", "5")]
    for sent in (data(1, b"12345") + data(1, b"6"), data(1, b"1234", ended=True), data(1, b"1234") + headers(1, [])):
        server = Server()
        events = server.hear(headers(1, length, ended=False) + sent)
        assert events[-1] == StreamReset(1, ErrorCode.PROTOCOL_ERROR, "content_length", by_peer=False)
        assert not any(getattr(event, "ended", False) for event in events)


def test_a_body_where_none_was_announced() -> None:
    """``content-length: 0`` means it, whether or not the head ended the stream."""  # S-040
    nothing = [*POST, ("content-length", "0")]
    server = Server()
    events = server.hear(headers(1, nothing, ended=False) + data(1, ended=True))
    assert events[-1] == DataReceived(1, b"", True)
    server.hear(headers(3, nothing, ended=False) + data(3, b"GET /admin HTTP/1.1"))

    assert server.events[-1] == StreamReset(3, ErrorCode.PROTOCOL_ERROR, "content_length", by_peer=False)


def test_limits_are_options() -> None:
    """Whoever runs it may set them."""
    connection = ServerConnection(0.0, True, message_limits=replace(DEFAULT_LIMITS, fields=1))
    connection.receive(GREETING, 0.0)
    (event,) = connection.receive(headers(1, [*GET, ("a", "b"), ("c", "d")]), 0.0)

    assert isinstance(event, RequestRefused)
