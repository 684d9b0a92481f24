"""HTTP/1: requests, responses, chunked bodies."""

from __future__ import annotations

import sys
from random import Random

from doorward.wire.http1 import DEFAULT_LIMITS, BadResponse, Rejected, RequestReader, ResponseReader
from doorward.wire.http1.body import ChunkedBody
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.response_reader import MAX_INTERIM, RESPONSE_LIMITS
from doorward.wire.http1.write import message_head
from fuzz.mutation import in_bytes, in_pieces
from fuzz.target import Target, main

_LIMITS = DEFAULT_LIMITS
MOST_OF_A_HEAD = _LIMITS.request_line + _LIMITS.header + 8
"""Bytes that wait for the end of a head."""
LONG = 8192
"""Inputs above it are not fed byte by byte: the random pieces are fine enough, and there are more inputs."""

_OURS = frozenset((b"content-length", b"transfer-encoding", b"connection", b"host"))

# --- requests


def _requests(pieces: list[bytes]) -> tuple[list[object], str]:
    """Heads and whole bodies in order, and why it ended; empty when it did not."""
    reader = RequestReader(_LIMITS, False)
    found: list[object] = []
    body = b""
    inside = False
    try:
        for piece in pieces:
            reader.feed(piece)
            while True:
                if inside:
                    body += reader.next_body()
                    if reader.body is not None:
                        break
                    found.append((body, reader.trailers))
                    body, inside = b"", False
                head = reader.next_head()
                if head is None:
                    break
                found.append(head)
                inside = reader.body is not None
            assert reader.buffered <= (0 if inside else MOST_OF_A_HEAD), "more waits than may"
    except Rejected as rejected:
        assert 400 <= rejected.status < 600
        assert rejected.reason
        return found, "rejected"
    return found, ""


def check_requests(data: bytes, random: Random) -> None:
    whole = _requests([data])
    assert _requests(in_pieces(data, random)) == whole
    if len(data) <= LONG:
        assert _requests(in_bytes(data)) == whole
    for head in whole[0]:
        if isinstance(head, RequestHead):
            _is_sound(head)


def _is_sound(head: RequestHead) -> None:
    """What was let in can be written onwards, and reads as the same there (I3)."""
    assert head.path.startswith(b"/") or (head.path == b"*" and head.method == b"OPTIONS")
    assert len(head.headers) <= _LIMITS.fields
    onwards = [(b"Host", head.authority)] if head.authority else []
    onwards += [header for header in head.headers if header[0].lower() not in _OURS]
    target = head.path if head.query is None else head.path + b"?" + head.query
    reader = RequestReader(_LIMITS, False)
    reader.feed(message_head(b"%b %b %b" % (head.method, target, head.version), onwards))
    try:
        again = reader.next_head()
    except Rejected as rejected:
        # What we add may be what is too much; nothing else may be.
        assert rejected.reason in ("request_line", "header_size", "field_count", "fields"), rejected.reason
        return
    assert again is not None
    assert (again.method, again.path, again.query, again.host) == (head.method, head.path, head.query, head.host)


REQUESTS = Target(
    "http1-requests",
    (
        b"GET /a?b HTTP/1.1\r\nHost: a.test\r\nX: y\r\n\r\n",
        b"POST /b HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhelloGET /c HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"PUT /c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;ext=1\r\nabc\r\n0a\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\nHEAD /d HTTP/1.0\r\n\r\n",
        b"GET http://a.test:80/x/../y;z?q=%2e HTTP/1.1\r\nHost: a.test:80\r\nConnection: close, X-A\r\nX-A: 1\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nHost: [::1]:8\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n",
        b"GET /%41%2f%c3%a9//./..//x HTTP/1.1\r\nHost: xn--bcher-kva.test.\r\nCookie: a=1; b=2\r\nCookie: c\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTE: trailers\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\0", b"\xff", b"%00", b"%2f", b"%", b"..",
        b"//", b";", b"#",
        b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"Host: b.test\r\n", b"Content-Length: 3\r\n",
        b"Content-Length: +3\r\n",
        b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: \x0bchunked\r\n", b"Connection: Host\r\n",
        b"GET ", b"CONNECT ",
        b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"1\r\n", b"X-authentik-username: root\r\n", b" folded\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
    ),
    check_requests,
)  # fmt: skip

# --- responses


def _responses(method: bytes, pieces: list[bytes]) -> tuple[list[object], bytes, bool, str]:
    reader = ResponseReader()
    reader.expect(method)
    found: list[object] = []
    body = b""
    try:
        for piece in pieces:
            reader.feed(piece)
            while not reader.head_seen and (head := reader.next_head()) is not None:
                found.append(head)
            if reader.head_seen:
                body += reader.next_body()
        assert len(found) <= MAX_INTERIM + 1
    except BadResponse:
        return found, b"", False, "bad"
    return found, body, reader.complete, ""


def check_responses(data: bytes, random: Random) -> None:
    method = random.choice((b"GET", b"GET", b"HEAD", b"POST"))
    whole = _responses(method, [data])
    ways = [in_pieces(data, random)] + ([in_bytes(data)] if len(data) <= LONG else [])
    for pieces in ways:
        cut = _responses(method, pieces)
        # A fault may show before or after the head that it follows, depending on what had arrived.
        assert cut == whole or (cut[3] == whole[3] == "bad"), "the pieces decide"


RESPONSES = Target(
    "http1-responses",
    (
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nServer: s\r\n\r\n"
        b"4\r\nwxyz\r\n1;e\r\n!\r\n0\r\nT: u\r\n\r\n",
        b"HTTP/1.0 200\r\n\r\nuntil the end",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81\x00",
        b"HTTP/1.1 204 No Content\r\nSet-Cookie: a=b\r\n\r\nextra",
        # Found: refused in pieces and taken as a whole.
        b"HTTP/1.1 204 N" + b"a" * 65537 + b"\r\nSet-Cookie: a=b\r\n\r\n",
    ),
    (
        b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b":", b" ", b"HTTP/1.1 ", b"HTTP/1.1 100 \r\n\r\n",
        b"HTTP/1.1 99 x", b"-1",
        b"Content-Length: 1\r\n", b"Content-Length: 2, 2\r\n", b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Connection: close\r\n", b"0\r\n\r\n", b"5\r\n", b"\xff", b" folded\r\n", b"999",
    ),
    check_responses,
)  # fmt: skip

# --- chunked bodies


def _chunks(pieces: list[bytes], limits_of_response: bool) -> tuple[bytes, bytes, bool, str]:
    limits = RESPONSE_LIMITS if limits_of_response else _LIMITS
    scanner = ChunkedBody(limits)
    payload = rest = b""
    try:
        for piece in pieces:
            if scanner.done:
                rest += piece
                continue
            payload += scanner.feed(piece)
            if scanner.done:
                rest = scanner.rest
    except Rejected:
        return b"", b"", False, "rejected"
    return payload, rest, scanner.done, ""


def check_chunks(data: bytes, random: Random) -> None:
    theirs = random.random() < 0.3
    whole = _chunks([data], theirs)
    assert _chunks(in_pieces(data, random), theirs) == whole
    if len(data) <= LONG:
        assert _chunks(in_bytes(data), theirs) == whole
    if not whole[3]:
        assert len(whole[0]) <= len(data), "more came out than went in"


CHUNKS = Target(
    "http1-chunked",
    (
        b"5\r\nhello\r\n0\r\n\r\n",
        b"3;ext=1\r\nabc\r\n0a\r\n0123456789\r\n0\r\nTrailer: t\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n",
        b"1\r\na\r\n" * 40 + b"0\r\n\r\n",
        b"10;a=b;c\r\n0123456789abcdef\r\n000\r\nContent-Length: 5\r\n\r\n",
    ),
    (
        b"\r\n", b"\n", b"\r", b"0\r\n\r\n", b"0x5", b"+5", b"-1", b"5_0", b" 5", b"5 ", b";", b"=", b"\0",
        b"\xff", b"ffffffff\r\n",
        b"fffffffffffffffff\r\n", b"1\r\na\r\n", b"T: u\r\n", b"Transfer-Encoding: chunked\r\n", b": x\r\n",
    ),
    check_chunks,
)  # fmt: skip

TARGETS = (REQUESTS, RESPONSES, CHUNKS)

if __name__ == "__main__":
    sys.exit(main(TARGETS))
