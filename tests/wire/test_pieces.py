"""Whatever pieces the bytes arrive in, the same is read: whole, byte by byte, at random."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.wire.http1 import DEFAULT_LIMITS, BadResponse, Rejected, RequestReader, ResponseReader

STREAM = (
    b"GET /a?b HTTP/1.1\r\nHost: a.test\r\nX: y\r\n\r\n"
    b"POST /b HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello"
    b"PUT /c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;ext=1\r\nabc\r\n0a\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"
    b"HEAD /d HTTP/1.0\r\n\r\n"
)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def requests(pieces: list[bytes]) -> list[object]:
    """What a reader makes of ``pieces``: heads, bodies, and a refusal at the end if there is one."""
    reader = RequestReader(DEFAULT_LIMITS, False)
    found: list[object] = []
    body = b""
    open_body = False
    try:
        for piece in pieces:
            reader.feed(piece)
            while True:
                if open_body:
                    body += reader.next_body()
                    if reader.body is not None:
                        break
                    found.append(body)
                    body, open_body = b"", False
                head = reader.next_head()
                if head is None:
                    break
                found.append(head)
                open_body = reader.body is not None
    except Rejected as rejected:
        found.append(("rejected", rejected.status))
    return found


@given(st.lists(st.integers(min_value=0), max_size=30))
def test_requests_do_not_depend_on_segments(cuts: list[int]) -> None:
    """Four different requests in one stream, cut anywhere."""  # S-050
    assert requests(pieces_of(STREAM, cuts)) == requests([STREAM])


def test_byte_by_byte() -> None:
    """The finest cut of all."""  # S-050
    whole = requests([STREAM])

    assert requests([bytes((byte,)) for byte in STREAM]) == whole
    assert len(whole) == 6


WORDS = (
    b"GET|POST| |/|HTTP/1.1|\r\n|\n|\r|Host: a|Content-Length: 3|:|0|Transfer-Encoding: chunked|5|abc|\x00|\xff|;|%2e"
    b"|\t|Expect: 100-continue"
).split(b"|")


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(WORDS),
        max_size=25,
    ),
    st.lists(st.integers(min_value=0), max_size=8),
)
def test_garbage_is_read_or_refused_alike(words: list[bytes], cuts: list[int]) -> None:
    """Nothing crashes the reader, and a refusal does not depend on how the bytes were cut."""
    data = b"".join(words)
    whole, cut = requests([data]), requests(pieces_of(data, cuts))

    assert [item for item in whole if not isinstance(item, tuple)] == [i for i in cut if not isinstance(i, tuple)]
    assert any(isinstance(item, tuple) for item in whole) == any(isinstance(item, tuple) for item in cut)


@given(st.binary(max_size=200), st.lists(st.integers(min_value=0), max_size=5))
def test_arbitrary_bytes_never_crash(data: bytes, cuts: list[int]) -> None:
    """Any bytes give requests or a refusal, on both readers."""
    requests(pieces_of(data, cuts))
    responses(pieces_of(b"HTTP/1.1 200 OK\r\n" + data, cuts))


RESPONSE = (
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nServer: s\r\n\r\n"
    b"4\r\nwxyz\r\n1;e\r\n!\r\n0\r\n\r\n"
)


def responses(pieces: list[bytes]) -> list[object]:
    reader = ResponseReader()
    reader.expect(b"GET")
    found: list[object] = []
    body = b""
    try:
        for piece in pieces:
            reader.feed(piece)
            while not reader.head_seen and (head := reader.next_head()) is not None:
                found.append(head)
            body += reader.next_body()
    except BadResponse:
        found.append("bad")
    return [*found, body, reader.complete]


@given(st.lists(st.integers(min_value=0), max_size=30))
def test_responses_do_not_depend_on_segments(cuts: list[int]) -> None:
    """An interim and a chunked response, cut anywhere."""
    whole = responses([RESPONSE])

    assert responses(pieces_of(RESPONSE, cuts)) == whole
    assert whole[-2:] == [b"wxyz!", True]
