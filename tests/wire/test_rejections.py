"""Requests that could mean two things to two programs are refused, with the reason (security contract, room A)."""

from __future__ import annotations

import pytest

from doorward.wire.http1 import DEFAULT_LIMITS, Rejected, RequestReader

HOST = b"Host: app.example.test\r\n"


def read_all(data: bytes, tls: bool = False) -> list[bytes]:
    """Read every request in ``data``; the bodies."""
    reader = RequestReader(DEFAULT_LIMITS, tls)
    reader.feed(data)
    bodies = []
    while reader.next_head() is not None:
        body = reader.next_body()
        assert reader.body is None
        bodies.append(body)
    return bodies


def get(fields: bytes = HOST, target: bytes = b"/", version: bytes = b"HTTP/1.1", method: bytes = b"GET") -> bytes:
    return method + b" " + target + b" " + version + b"\r\n" + fields + b"\r\n"


def post(fields: bytes, body: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"

FRAMING = [
    ("cl_te", post(b"Content-Length: 6\r\n" + CHUNKED, b"0\r\n\r\nG")),  # S-001
    ("cl_te", post(CHUNKED + b"Content-Length: 6\r\n", b"0\r\n\r\nG")),  # S-001
    ("te_http10", b"POST / HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n"),  # S-002
    ("cl_dup", post(b"Content-Length: 6\r\nContent-Length: 5\r\n", b"hello!")),  # S-003
    ("cl_dup", post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!")),  # S-003
    ("cl_dup", post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello")),  # S-004
    ("cl_dup", post(b"Content-Length: 5, 5\r\n", b"hello")),  # S-004
    *(
        ("cl_syntax", post(b"Content-Length: " + value + b"\r\n", b"hello"))  # S-005
        for value in (b"+5", b"-5", b"0x5", b"5_0", b"5 5", b"5.0", b"1e1", b"", b"1" * 20, b"\xb2", b"five")
    ),
    *(
        ("te_unknown", post(b"Transfer-Encoding: " + value + b"\r\n", b"0\r\n\r\n"))  # S-006 S-015
        for value in (
            b"xchunked", b"identity", b"chunked, identity", b"gzip, chunked", b'"chunked"', b"chunk", b"", b",chunked",
            b"\xa0chunked", b"chunked\x85", b"chunked;q=1",
        )
    ),
    ("te_dup", post(CHUNKED + CHUNKED, b"0\r\n\r\n")),  # S-007
    ("te_dup", post(b"Transfer-Encoding: identity\r\n" + CHUNKED, b"0\r\n\r\n")),  # S-007
]  # fmt: skip

FIELDS = [
    ("header_name", get(HOST + b"Content-Length : 5\r\n")),  # S-008
    ("header_name", get(HOST + b"Transfer-Encoding\t: chunked\r\n")),  # S-008
    ("obs_fold", get(HOST + b"X-A: one\r\n two\r\n")),  # S-009
    ("obs_fold", get(b" X-A: one\r\n" + HOST)),  # S-009
    ("obs_fold", get(HOST + b"\tX-A: one\r\n")),  # S-009
    ("bare_lf", b"GET / HTTP/1.1\n" + HOST + b"\r\n"),  # S-010
    ("bare_lf", b"GET / HTTP/1.1\r\nHost: app.example.test\n\r\n"),  # S-010
    ("bare_lf", get(HOST + b"X-A: a\nX-B: b\r\n")),  # S-010
    ("bare_lf", b"GET / HTTP/1.1\r\n" + HOST + b"\nGET / HTTP/1.1\r\n\r\n"),  # S-010
    ("bare_cr", get(HOST + b"X-A: a\rX-B: b\r\n")),  # S-011
    ("bare_cr", b"GET / HTTP/1.1\r" + HOST + b"\r\n\r\n"),  # S-011
    *(
        ("header_value", get(HOST + b"X-A: a" + bytes((byte,)) + b"b\r\n"))  # S-012
        for byte in (*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F)
    ),
    ("header_value", post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n")),  # S-015
    *(
        ("header_name", get(HOST + name + b": b\r\n"))  # S-013
        for name in (b"", b"X\xefA", b"X(A", b"X/A", b'X"A', b"X A", b"X\x00A")
    ),
    ("header_line", get(HOST + b"nonsense\r\n")),  # S-014
    ("host_missing", get(b"")),  # S-021
    ("host_missing", get(b"X-Host: a\r\n")),  # S-021
    ("host_dup", get(HOST + HOST)),  # S-021
    ("host_dup", get(HOST + b"hOST: other.test\r\n")),  # S-021
    *(
        ("host_syntax", get(b"Host: " + value + b"\r\n"))  # S-022
        for value in (
            b"a b", b"user@app.example.test", b"app.example.test/x", b"app.example.test?x", b"app.example.test#x",
            b"app.example.test:80abc", b"app.example.test:99999", b"app.example.test:-1", b"app.example.test:", b"",
            b"b\xc3\xbccher.example.test", b"a..b", b".a", b"a,b", b"[::1", b"[::g]", b"[::1%eth0]", b"::1", b"a\\b",
            b"a%2eb", b"-a.test", b"a" * 64 + b".test", b"[::1]x",
        )
    ),
    ("host_syntax", get(b"Host: xn--abc-.example.test\r\n")),  # S-218
    ("host_syntax", get(b"Host: xn--99999999999.example.test\r\n")),  # S-218
    *(
        ("dup_singleton", get(HOST + name + b": a\r\n" + name + b": a\r\n"))  # S-044
        for name in (b"Authorization", b"Content-Type", b"Sec-WebSocket-Key", b"Origin")
    ),
]  # fmt: skip

LINES = [
    ("authority_mismatch", get(b"Host: open.example.test\r\n", b"http://app.example.test/x")),  # S-023
    ("authority_mismatch", get(HOST, b"http://app.example.test:81/x")),  # S-023
    ("target", get(HOST, b"http://user:pw@app.example.test/x")),  # S-024
    ("target", get(HOST, b"https://app.example.test/x")),  # S-024
    ("target", get(HOST, b"ftp://app.example.test/x")),  # S-024
    ("target", get(HOST, b"*")),  # S-026
    ("target", get(HOST, b"foo")),  # S-027
    ("target", get(HOST, b"example.test:443")),  # S-027
    ("target", get(HOST, b"/a#b")),  # S-027
    ("target", get(HOST, b"/a b")),  # S-027
    ("target", get(HOST, b"")),  # S-027
    ("target", get(HOST, b"/a\x01b")),  # S-027
    ("target", get(HOST, b"/a\tb")),  # S-027
    ("target", get(HOST, b"/a?b\x7f")),  # S-027
    ("target", get(HOST, b"/a\\b")),  # S-206
    ("percent", get(HOST, b"/%")),  # S-202
    ("percent", get(HOST, b"/%f")),  # S-202
    ("percent", get(HOST, b"/%zz")),  # S-202
    ("control", get(HOST, b"/%00")),  # S-205
    ("control", get(HOST, b"/health%0a")),  # S-210
    ("method", get(method=b"G(T")),  # S-029
    ("method", get(method=b"")),  # S-029
    ("method", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),  # S-049
    ("version", b"GET /\r\n\r\n"),  # S-028
    *(
        ("version", get(version=version))  # S-028
        for version in (b"http/1.1", b"HTTP/1.1x", b"HTTP/1.10", b"HTTP/11", b"")
    ),
]  # fmt: skip

BODIES = [
    *(
        ("chunk_size", post(CHUNKED, line + b"\r\nhello\r\n0\r\n\r\n"))  # S-016
        for line in (b"0x5", b"+5", b"-5", b"5_0", b"", b" 5", b"5 ", b"5\t", b"g", b"5 ;x", b"1" * 17)
    ),
    ("chunk_size", post(CHUNKED, b"5\nhello\r\n0\r\n\r\n")),  # S-010
    ("chunk_ext", post(CHUNKED, b"5;a\nb\r\nhello\r\n0\r\n\r\n")),  # S-017
    ("chunk_ext", post(CHUNKED, b"5;a\rb\r\nhello\r\n0\r\n\r\n")),  # S-017
    ("chunk_ext", post(CHUNKED, b"5;a\x00b\r\nhello\r\n0\r\n\r\n")),  # S-017
    ("chunk_end", post(CHUNKED, b"5\r\nhelloXX0\r\n\r\n")),  # S-018
    ("chunk_end", post(CHUNKED, b"5\r\nhello\n0\r\n\r\n")),  # S-018
    ("trailer_header_name", post(CHUNKED, b"0\r\nX A: b\r\n\r\n")),
    ("trailer_obs_fold", post(CHUNKED, b"0\r\nX: a\r\n b\r\n\r\n")),
]


@pytest.mark.parametrize(("reason", "data"), FRAMING + FIELDS + LINES + BODIES)
def test_ambiguity_is_refused(reason: str, data: bytes) -> None:
    """What two parsers could read differently is refused with 400 (501 or 505 where the contract lets us)."""
    with pytest.raises(Rejected) as refusal:
        read_all(data)

    assert refusal.value.reason == reason
    assert refusal.value.status in (400, 501, 505)


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (501, get(method=b"CONNECT", target=b"app.example.test:443")),  # S-025
        (405, get(method=b"TRACE")),  # S-030
        (405, get(method=b"TRACK")),  # S-030
        (501, get(method=b"M" * 33)),  # S-029
        (505, get(version=b"HTTP/2.0")),  # S-028
        (505, get(version=b"HTTP/1.2")),  # S-028
        (505, get(version=b"HTTP/0.9")),  # S-028
        (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (417, get(HOST + b"Expect: 200-ok\r\n")),  # S-033
    ],
)
def test_what_is_not_offered_has_its_own_status(status: int, data: bytes) -> None:
    """Methods, versions and expectations that the proxy does not serve are told apart from broken requests."""
    with pytest.raises(Rejected) as refusal:
        read_all(data)

    assert refusal.value.status == status


def test_a_request_line_may_have_8192_bytes() -> None:
    """One byte more is 414."""
    assert read_all(get(target=b"/" + b"a" * (8192 - 14))) == [b""]
    with pytest.raises(Rejected) as refusal:
        read_all(get(target=b"/" + b"a" * (8193 - 14)))
    assert refusal.value.status == 414


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (HOST + b"A: " + b"x" * (16384 - 3) + b"\r\n", HOST + b"A: " + b"x" * (16385 - 3) + b"\r\n"),
        (HOST + b"A: b\r\n" * 99, HOST + b"A: b\r\n" * 100),
        (HOST + b"Cookie: a=b" + b"; a=b" * 199 + b"\r\n", HOST + b"Cookie: a=b" + b"; a=b" * 200 + b"\r\n"),
        (HOST + (b"A: " + b"x" * 13102 + b"\r\n") * 4 + b"B: " + b"y" * 13079 + b"\r\n",
         HOST + (b"A: " + b"x" * 13102 + b"\r\n") * 4 + b"B: " + b"y" * 13080 + b"\r\n"),
    ],
    ids=["field", "fields", "cookies", "header"],
)  # fmt: skip
def test_header_limits(good: bytes, bad: bytes) -> None:
    """Just under a limit works, just over it is 431."""  # S-911
    assert read_all(get(good)) == [b""]
    with pytest.raises(Rejected) as refusal:
        read_all(get(bad))
    assert refusal.value.status == 431


def test_a_head_without_end_is_refused_early() -> None:
    """A head that cannot end within its limit is not waited for."""
    reader = RequestReader(DEFAULT_LIMITS, False)
    reader.feed(b"GET / HTTP/1.1\r\nA: " + b"x" * 65536)
    with pytest.raises(Rejected) as refusal:
        reader.next_head()
    assert refusal.value.status == 431


def test_one_byte_chunks_cost_too_much() -> None:
    """Framing may not cost more than 16 KiB beyond twice the payload."""  # S-912
    assert read_all(post(CHUNKED, b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n")) == [b"x" * 5000]
    with pytest.raises(Rejected) as refusal:
        read_all(post(CHUNKED, b"1\r\nx\r\n" * 6000 + b"0\r\n\r\n"))
    assert refusal.value.reason == "chunk_overhead"


def test_trailers_are_capped_and_dropped() -> None:
    """Eight kilobytes of trailers are read and forgotten, more is 431."""  # S-020
    assert read_all(post(CHUNKED, b"1\r\nx\r\n0\r\n" + b"A: b\r\n" * 1000 + b"\r\n")) == [b"x"]
    with pytest.raises(Rejected) as refusal:
        read_all(post(CHUNKED, b"1\r\nx\r\n0\r\n" + b"A: b\r\n" * 1400 + b"\r\n"))
    assert refusal.value.status == 431
