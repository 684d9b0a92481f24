"""CPU of the HTTP/2 core alone, per request and response, without sockets: ``python bench/http2_core.py``.

A client's bytes are made beforehand with ten requests in a turn, as ``h2load -m 10`` sends them; what is timed is
receiving them, taking the events, and answering each with a head of eight fields and a small body.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from doorward.wire.http2 import ClientConnection, RequestReceived, ServerConnection
from doorward.wire.http2.frames import headers_frames
from doorward.wire.http2.hpack.encoder import encode_field, encode_integer, encode_length
from doorward.wire.http2.hpack.static_table import INDEX_OF_NAME

TURNS, STREAMS, RUNS = 1000, 10, 7
REQUEST = [
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-US,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"sec-fetch-mode", b"navigate"),
    (b"sec-fetch-site", b"none"),
    (b"cookie", b"theme=dark; lang=en"),
]
RESPONSE = [
    (b"Server", b"nginx"),
    (b"Date", b"Wed, 25 Nov 2026 19:00:00 GMT"),
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"Content-Length", b"512"),
    (b"Last-Modified", b"Wed, 25 Nov 2026 18:00:00 GMT"),
    (b"ETag", b'"67447a00-200"'),
    (b"Accept-Ranges", b"bytes"),
    (b"Vary", b"Accept-Encoding"),
]
BODY = b"x" * 512


def requests(kind: str) -> Iterator[bytes]:
    """Header blocks as browsers and h2load make them: the first fills the table, the others refer to it.

    ``repeated``: every request the same; ``paths``: each asks for something else; ``cookies``: its cookie differs
    too and is not indexed; ``literal``: a client that never uses the table.
    """
    fields = [(b":authority", b"app.test"), *REQUEST]
    yield b"\x82\x87\x84" + b"".join(incremental(*field) for field in fields)
    newest = 0x80 | 62
    known = bytes(reversed(range(newest + (kind == "cookies"), newest + len(fields))))
    for number in itertools.count():
        block = b"\x82\x87" + known
        if kind == "literal":
            block = b"\x82\x87" + b"".join(map(encode_field, fields))
        path = b"/some/page.html" if kind in ("repeated", "literal") else b"/some/page.html?n=%d" % number
        block = block[:2] + encode_field((b":path", path)) + block[2:]
        if kind == "cookies":
            block += encode_field((b"cookie", b"theme=dark; session=%064d" % number))
        yield block


def incremental(name: bytes, value: bytes) -> bytes:
    """A literal field that goes into the table (RFC 7541 section 6.2.1)."""
    index = INDEX_OF_NAME.get(name)
    start = encode_integer(index, 6, 0x40) if index else b"\x40" + encode_length(len(name)) + name
    return start + encode_length(len(value)) + value


def turns(kind: str) -> list[bytes]:
    """What arrives at once, turn by turn."""
    streams = itertools.count(1, 2)
    blocks = requests(kind)
    return [
        b"".join(
            headers_frames(next(streams), block, ended=True, largest=16384)
            for block in itertools.islice(blocks, STREAMS)
        )
        for _ in range(TURNS)
    ]


def run(made: list[bytes], greeting: bytes) -> float:
    """Microseconds of CPU per request."""
    server = ServerConnection(0.0, tls=True)
    server.receive(greeting, 0.0)
    server.take()
    server._send_window = 1 << 60  # the client of this benchmark never opens its window
    answered = 0
    started = time.process_time()
    for data in made:
        for event in server.receive(data, 0.0):
            if type(event) is RequestReceived:
                server.respond(event.stream, 200, RESPONSE)
                server.send_data(event.stream, BODY, ended=True)
                answered += 1
        server.take()
    spent = time.process_time() - started
    assert answered == TURNS * STREAMS
    return spent / answered * 1e6


def main() -> None:
    greeting = ClientConnection(0.0).take()
    for kind in ("repeated", "paths", "cookies", "literal"):
        made = turns(kind)
        # The least of several runs: what else the machine does can only add to it.
        print(f"{kind:10}{min(run(made, greeting) for _ in range(RUNS)):6.2f} µs")


if __name__ == "__main__":
    main()
