"""Responses of applications are trusted no more than requests of clients (S-034, S-035)."""

from __future__ import annotations

import pytest

from doorward.wire.http1 import BadResponse, ReceivedHead, ResponseReader


def read(data: bytes, method: bytes = b"GET") -> tuple[ReceivedHead, bytes, ResponseReader]:
    reader = ResponseReader()
    reader.expect(method)
    reader.feed(data)
    head = reader.next_head()
    assert head is not None
    return head, reader.next_body(), reader


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n",
        b"HTTP/1.1 200 OK\nX: a\n\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
        b"HTTP/1.1 200\x00OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"hello world",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000,
    ],
)  # S-034
def test_ambiguous_responses_are_refused(data: bytes) -> None:
    """A response that two programs could read differently is an error of the server."""
    with pytest.raises(BadResponse):
        read(data)


def test_the_facts_are_taken_out() -> None:
    """Framing and connection fields become facts; the rest keeps its order and spelling."""
    head, body, reader = read(
        b"HTTP/1.1 200 Fine\r\nserver: x\r\nContent-Length: 3\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"
        b"Set-Cookie: a=b\r\n\r\nabcrest"
    )

    assert (head.status, head.reason, head.length, head.keep_alive) == (200, b"Fine", 3, True)
    assert head.headers == ((b"server", b"x"), (b"Set-Cookie", b"a=b"))
    assert (body, reader.complete, reader.surplus) == (b"abc", True, True)  # S-035


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
def test_some_responses_have_no_body_whatever_they_say(method: bytes, status: int) -> None:
    """Bytes after such a head are surplus, so the connection is not used again."""  # S-035
    _, body, reader = read(b"HTTP/1.1 %d X\r\nContent-Length: 3\r\n\r\nabc" % status, method)

    assert (body, reader.complete, reader.surplus) == (b"", True, True)


def test_a_response_may_end_with_its_connection() -> None:
    """Without length or chunks the end of the connection is the end of the body, and only then."""
    head, body, reader = read(b"HTTP/1.1 200 OK\r\n\r\nabc")

    assert (head.length, head.keep_alive, body, reader.complete) == (None, False, b"abc", False)
    reader.end()
    assert reader.complete


def test_a_cut_response_is_noticed() -> None:
    """Two of three bytes are no response."""  # S-303
    _, _, reader = read(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab")

    with pytest.raises(BadResponse):
        reader.end()


def test_interim_responses_come_to_an_end() -> None:
    """A server cannot keep us busy with 1xx for ever."""
    reader = ResponseReader()
    reader.expect(b"GET")
    reader.feed(b"HTTP/1.1 103 X\r\n\r\n" * 17)

    with pytest.raises(BadResponse):
        for _ in range(17):
            reader.next_head()
