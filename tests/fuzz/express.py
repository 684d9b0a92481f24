"""The express lane's short readings beside the ordinary ones: whatever it takes for known must mean the same there."""

from __future__ import annotations

import sys
from collections import deque
from random import Random

from doorward.messages.entry_points import EntryPoint
from doorward.proxy.express.fitness import is_plain
from doorward.proxy.express.pattern import PatternReader, Sketch, blank_names
from doorward.proxy.forwarding import Admission
from doorward.proxy.request import ConnectionFacts, Request
from doorward.wire.http1 import DEFAULT_LIMITS, Rejected, RequestReader
from doorward.wire.http1.plain_request import plain_line
from doorward.wire.http1.request import RequestHead
from fuzz.target import Target, main

MOST = 50_000
"""Patterns that are remembered from one input to the next."""
_FACTS = ConnectionFacts("192.0.2.7", 443, tls=False)
_admission = Admission(EntryPoint("web", "", 80), "proxy-1")
_sketches: deque[Sketch] = deque(maxlen=16)
_Outcome = tuple[object, ...] | None
_known: dict[bytes, _Outcome] = {}
"""What the first block of a pattern was to the ordinary way; None: refused."""


def _read(data: bytes) -> RequestHead | None:
    """The head that the ordinary reader sees, if it takes ``data`` for one request's."""
    reader = RequestReader(DEFAULT_LIMITS, False)
    reader.feed(data)
    try:
        head = reader.next_head()
    except Rejected:
        return None
    return head if head is not None and not reader.buffered else None


def _admitted(head: RequestHead) -> Request | None:
    try:
        return _admission.admit(head, _FACTS)
    except Rejected:
        return None


def check_patterns(block: bytes, random: Random) -> None:
    """Two blocks of one pattern are the same but for what stands in the blanks, refused or not."""
    if not all(block.split(b"\r\n")):
        return  # an empty line ends a head: none is ever within one
    found = PatternReader(lambda name: False, DEFAULT_LIMITS).read(block)
    if found is None:
        return
    pattern, blanks = found.pattern, found.blanks
    _check_likeness(block, found)
    names = blank_names(pattern)
    head = _read(b"GET /p HTTP/1.1\r\n" + block + b"\r\n\r\n")
    request = _admitted(head) if head is not None else None
    outcome: _Outcome = None
    if head is not None and request is not None:
        outcome = _meaning(head, request, {name.lower() for name in names})
        others = [(name, value) for name, value in zip(names, blanks, strict=True) if name.lower() != b"cookie"]
        plain = {name.lower() for name, _ in others}
        assert not is_plain(head) or others == [each for each in request.headers if each[0].lower() in plain], (
            "other values than are there"
        )
    if len(_known) >= MOST:
        _known.clear()
    assert _known.setdefault(pattern, outcome) == outcome, "one pattern, two meanings"


def _check_likeness(block: bytes, found: Sketch) -> None:
    """What is read by its likeness to another block is what is read in earnest."""
    lines = [b"GET / HTTP/1.1", *block.split(b"\r\n"), b"", b""]
    for sketch in _sketches:
        filled = sketch.filled(lines, DEFAULT_LIMITS.cookies)
        if filled is not None:
            assert (sketch.pattern, *filled) == (found.pattern, found.blanks, found.request_id), "unlike itself"
    _sketches.append(found)


def _meaning(head: RequestHead, request: Request, blank: set[bytes]) -> tuple[object, ...]:
    fields = tuple((name, b"" if name.lower() in blank else value) for name, value in request.headers)
    said = (request.host, request.authority, request.client, request.websocket, request.protocol, request.body_length)
    return (*said, head.keep_alive, head.expect_continue, head.connection, head.wants_trailers, fields)


def check_lines(data: bytes, random: Random) -> None:
    """A plain request line is read by the ordinary reader as what it is taken for."""
    match = plain_line(data)
    if match is None:
        return
    head = _read(data[: match.end()] + b"Host: a.test\r\n\r\n")
    assert head is not None, "refused by the ordinary reader"
    assert (head.method, head.target, head.path, head.query) == (b"GET", match[1], match[2], match[3])


PATTERNS = Target(
    "express-patterns",
    (
        b"Host: a.test\r\nUser-Agent: curl/8\r\nAccept: */*",
        b"Host: a.test\r\nX-Trace: 1\r\nCookie: a=1; authentik_proxy_0123abcd=x; b=2\r\nX-Request-Id: q",
        b"host: a.test\r\nX-Trace:\t1 \r\nx-trace: 2\r\nAccept: text/event-stream\r\nConnection: keep-alive",
        b"Host: a.test\r\nX-Forwarded-For: 1.2.3.4\r\nX_Odd: y\r\nX-Authentik-Username: root\r\nCookie: a=1",
        # Found: signs in a cookie's value were taken for those of the pattern.
        b"Host: a.test\r\nX-Trace: 1\r\nCookie: a=1; authentik_proxy_0123abcd===x; b=2\r\nX-Request-Id: q",
        b"Host: a.test\r\nContent-Length: 0\r\nTE: trailers\r\nX-A: \xe4\r\nOrigin: null\r\nAuthorization: Basic YQ==",
    ),
    (
        b"\r\n", b"\n", b"\r", b":", b" ", b"\t", b"\0", b"=", b"==", b";", b"; ", b"\r\n ", b"\xa0", b"\x7f",
        b"\x0b", b"X-Trace: 2\r\n",
        b"Cookie: authentik_proxy_0123abcd=y\r\n", b"__Host-", b"authentik_proxy_", b"X-Request-Id: w\r\n",
        b"X-Request-Id",
        b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: x-trace\r\n",
        b"Host: b.test\r\n", b"X-Trace",
        b"X-Doorward-Session: z\r\n", b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\n", b"x" * 70,
    ),
    check_patterns,
)  # fmt: skip
LINES = Target(
    "express-lines",
    (
        b"GET / HTTP/1.1\r\n",
        b"GET /a/b.c-d_e~f?g=h&i=%2e HTTP/1.1\r\n",
        b"GET /a!$&'()*+,=:@/?/?? HTTP/1.1\r\nHost: x\r\n",
        b"GET /..a/.b/c..?#x HTTP/1.1\r\n",
    ),
    (b"..", b"/.", b"//", b";", b"%2e", b"?", b"#", b" ", b"\t", b"\0", b"\xff", b"\\", b"\"", b"^", b"|",
     b"{", b"<", b"[", b"`",
     b"http://a/", b"*", b"HTTP/1.0", b"\n", b"\r\n", b"%", b"'"),
    check_lines,
)  # fmt: skip

TARGETS = (PATTERNS, LINES)

if __name__ == "__main__":
    sys.exit(main(TARGETS))
