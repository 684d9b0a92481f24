"""Fields after a body: whatever they are and in whatever pieces they arrive, exactly those that may come are there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.messages.http import Header
from doorward.wire.http1 import DEFAULT_LIMITS, RequestReader, ResponseReader
from doorward.wire.http1.body import last_chunk
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.trailers import permitted, wants_trailers
from wire.http2.by_hand import Client, Server, data, headers, settings
from wire.test_pieces import pieces_of

FORBIDDEN = (
    b"Content-Length",
    b"transfer-encoding",
    b"Host",
    b"AUTHORIZATION",
    b"Cookie",
    b"Set-Cookie",
    b"Connection",
    b"Trailer",
    b"TE",
    b"Content-Type",
    b"X-authentik-username",
    b"Sec-WebSocket-Key",
    b"If-Match",
    b"Location",
)
names = st.one_of(st.sampled_from(FORBIDDEN), st.from_regex(rb"[A-Za-z][A-Za-z0-9_.~-]{0,12}", fullmatch=True))
values = st.from_regex(rb"([!-~\x80-\xff]([ \t!-~\x80-\xff]{0,12}[!-~\x80-\xff])?)?", fullmatch=True)
fields = st.lists(st.tuples(names, values), max_size=8)
cuts = st.lists(st.integers(0, 10_000), max_size=6)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def lines(trailers: list[Header]) -> bytes:
    return b"".join(name + b": " + value + b"\r\n" for name, value in trailers)


@given(fields, cuts)
def test_trailers_of_a_request(trailers: list[Header], places: list[int]) -> None:
    """They do not change what comes before or after them."""  # S-020
    reader = RequestReader(DEFAULT_LIMITS, False)
    after = b"GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n"
    sent = b"3\r\nabc\r\n0\r\n" + lines(trailers) + b"\r\n" + after
    reader.feed(b"POST / HTTP/1.1\r\nHost: a.test\r\n" + CHUNKED)
    assert reader.next_head() is not None

    body = b""
    for piece in pieces_of(sent, places):
        reader.feed(piece)
        body += reader.next_body()

    assert body == b"abc"
    assert reader.trailers == permitted(trailers)
    head = reader.next_head()
    assert head is not None and head.path == b"/next"


@given(fields, cuts)
def test_trailers_of_a_response(trailers: list[Header], places: list[int]) -> None:
    """And a response without any after one with some has none."""
    reader = ResponseReader()
    for sent, wanted in ((trailers, permitted(trailers)), ([], ())):
        reader.expect(b"GET")
        reader.feed(b"HTTP/1.1 200 OK\r\n" + CHUNKED)
        assert reader.next_head() is not None
        for piece in pieces_of(b"2\r\nhi\r\n0\r\n" + lines(list(sent)) + b"\r\n", places):
            reader.feed(piece)
            reader.next_body()
        assert reader.complete and not reader.surplus
        assert reader.trailers == wanted


@given(fields)
def test_what_is_written_is_what_is_read(trailers: list[Header]) -> None:
    """The end of a chunked body, read by a parser of the same kind."""
    reader = ResponseReader()
    reader.expect(b"GET")
    reader.feed(b"HTTP/1.1 200 OK\r\n" + CHUNKED + last_chunk(trailers))
    reader.next_head()
    reader.next_body()

    assert reader.complete and not reader.surplus
    assert reader.trailers == permitted(trailers)


@given(fields)
def test_both_versions_agree(trailers: list[Header]) -> None:
    """HTTP/2 lets the same ones pass, in both directions."""
    lower = [
        (name.lower().decode("ascii"), value.decode("latin-1"))
        for name, value in trailers
        # These are no fields at all in HTTP/2.
        if name.lower() not in (b"connection", b"transfer-encoding", b"te", b"host", b"content-length")
    ]
    wanted = permitted((name.encode(), value.encode("latin-1")) for name, value in lower)
    client, server = Client(), Server()
    stream = client.ask()

    received = client.hear(headers(stream, [(":status", "200")], ended=False) + headers(stream, lower))
    assert received[-1].headers == wanted  # type: ignore[union-attr]

    post = [(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "a.test")]
    received = server.hear(settings() + headers(1, post, ended=False) + data(1, b"x") + headers(1, lower))
    assert received[-1].headers == wanted  # type: ignore[union-attr]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_never_comes_after_a_body(name: bytes) -> None:
    """Framing, routing, credentials, identity, conditions, what the content is."""  # S-020
    assert permitted([(name, b"x"), (b"Grpc-Status", b"0")]) == ((b"Grpc-Status", b"0"),)


@pytest.mark.parametrize("trailer", [(b"X", b"a\r\nb"), (b"X Y", b"a"), (b"X", b"\x00")])
def test_none_breaks_out_of_its_line(trailer: Header) -> None:
    """Whoever made it up: it is not written."""  # S-045
    with pytest.raises(UnsafeField):
        last_chunk([trailer])


@pytest.mark.parametrize(
    ("te", "wants"),
    [
        ([b"trailers"], True),
        ([b"gzip;q=0.5, Trailers"], True),
        ([b"gzip", b"trailers"], True),
        ([], False),
        ([b"gzip"], False),
        ([b"trailers;q=0"], False),
        ([b"x-trailers"], False),
    ],
)
def test_who_wants_them(te: list[bytes], wants: bool) -> None:
    """``TE: trailers``, in a list or alone, in any case."""
    assert wants_trailers(te) is wants
