"""HTTP/2 (both ends) and HPACK."""

from __future__ import annotations

import sys
from random import Random
from typing import Any

from doorward.wire.http2 import (
    ClientConnection,
    ConnectionFailed,
    DataReceived,
    Event,
    RequestReceived,
    ServerConnection,
)
from doorward.wire.http2.hpack import BadBlock, Decoder, ListTooLarge
from doorward.wire.http2.limits import DEFAULT_LIMITS as LIMITS
from fuzz.mutation import in_bytes, in_pieces
from fuzz.target import Target, main
from wire.http2.by_hand import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GET,
    GREETING,
    HEADERS,
    PADDED,
    PING,
    POST,
    PRIORITY,
    WEBSOCKET,
    block,
    data,
    frame,
    headers,
    rst_stream,
    window_update,
)
from wire.http2.by_hand import settings as settings_frame

LONG = 4096
MOST_WRITTEN = 4 << 20
"""Bytes that answering one input may take, whatever it asks for."""


def _served(pieces: list[bytes]) -> list[Event]:
    core = ServerConnection(0.0, tls=True)
    found: list[Event] = []
    begun: set[int] = set()
    held = written = 0
    for piece in pieces:
        events = core.receive(piece, 0.0)
        for event in events:
            if isinstance(event, RequestReceived):
                begun.add(event.stream)
                assert len(event.head.headers) <= 2 * 100
            elif isinstance(event, DataReceived):
                held += len(event.data)
        # Nobody takes anything: the windows must hold it.
        assert held <= LIMITS.connection_window, "more is held than the window allows"
        found += events
        written += len(core.take())
        assert written <= MOST_WRITTEN
    assert len(begun) <= len(found)
    return found


_QUESTION: Any = {
    "method": b"GET",
    "scheme": b"https",
    "authority": b"app.example.test",
    "target": b"/",
    "headers": (),
    "ended": True,
}


def _asked(pieces: list[bytes]) -> list[Event]:
    core = ClientConnection(0.0)
    for _ in range(2):
        core.request(**_QUESTION)
    core.take()
    found: list[Event] = []
    for piece in pieces:
        found += core.receive(piece, 0.0)
        core.take()
    return found


def _compare(whole: list[Event], cut: list[Event]) -> None:
    """The same events; how data is shared out over frames is the peer's doing and so the same as well."""
    # A refusal is an exception, and no two of those are equal.
    assert list(map(repr, cut)) == list(map(repr, whole))
    failures = [event for event in whole if isinstance(event, ConnectionFailed)]
    assert len(failures) <= 1
    assert not failures or whole[-1] is failures[0], "something happened after the end"


def check_server(data_in: bytes, random: Random) -> None:
    whole = _served([data_in])
    _compare(whole, _served(in_pieces(data_in, random)))
    if len(data_in) <= LONG:
        _compare(whole, _served(in_bytes(data_in)))


def check_client(data_in: bytes, random: Random) -> None:
    whole = _asked([data_in])
    _compare(whole, _asked(in_pieces(data_in, random)))
    if len(data_in) <= LONG:
        _compare(whole, _asked(in_bytes(data_in)))


_FRAMES = tuple(frame(kind, flags, stream) for kind in range(11) for flags in (0, 5) for stream in (0, 1))
_WORDS = (
    *_FRAMES,
    headers(1),
    headers(3, POST, ended=False),
    frame(CONTINUATION, END_HEADERS, 1, block(GET)),
    frame(DATA, PADDED, 1, b"\x05abc"),
    window_update(0, 0x7FFFFFFF),
    window_update(1, 0),
    settings_frame((4, 0xFFFFFFFF)),
    settings_frame((5, 1)),
    settings_frame((1, 0)),
    rst_stream(1),
    frame(PING, 1, 0, bytes(8)),
    bytes(3),
    b"\xff\xff\xff",
    b"\x00\x40\x01",
    GREETING,
)

SERVER = Target(
    "http2-server",
    (
        GREETING
        + settings_frame((4, 1 << 20), (3, 7))
        + headers(1)
        + headers(3, [*POST, ("content-length", "8"), ("cookie", "a=b"), ("cookie", "c=d")], ended=False)
        + frame(PING, 0, 0, b"12345678")
        + data(3, b"abc")
        + frame(DATA, PADDED, 3, b"\x02defgh\0\0")
        + headers(3, [("x-trailer", "y")]),
        GREETING
        + frame(HEADERS, END_STREAM, 5, block(GET)[:7])
        + frame(CONTINUATION, 0, 5, block(GET)[7:20])
        + frame(CONTINUATION, END_HEADERS, 5, block(GET)[20:])
        + frame(PRIORITY, 0, 9, bytes(5))
        + rst_stream(5)
        + frame(0x42, 0, 0, b"?"),
        GREETING + b"".join(headers(stream) + rst_stream(stream) for stream in range(1, 60, 2)),
        GREETING + headers(1, WEBSOCKET, ended=False) + data(1, b"\x81\x00", ended=True),
    ),
    _WORDS,
    check_server,
)

CLIENT = Target(
    "http2-client",
    (
        settings_frame()
        + headers(1, [(":status", "103"), ("link", "x")], ended=False)
        + headers(1, [(":status", "200"), ("content-length", "3")], ended=False)
        + data(1, b"abc", ended=True)
        + headers(3, [(":status", "200")], ended=False)
        + data(3, b"x")
        + headers(3, [("grpc-status", "0")])
        + rst_stream(5, 7),
        settings_frame((3, 1), (4, 10)) + frame(7, 0, 0, bytes(8)) + headers(1, [(":status", "204")]),
    ),
    _WORDS,
    check_client,
)


def check_hpack(data_in: bytes, random: Random) -> None:
    """Blocks one after the other through one decoder; what ends the first ends all."""
    decoder = Decoder(LIMITS.table, LIMITS.header_list)
    for part in in_pieces(data_in, random):
        try:
            fields = decoder.decode(part)
        except (BadBlock, ListTooLarge):
            return
        assert sum(len(name) + len(value) + 32 for name, value in fields) <= LIMITS.header_list
        assert decoder.list_size <= LIMITS.header_list


HPACK = Target(
    "hpack",
    (
        block(GET),
        block([*POST, ("x-a", "b" * 200), ("cookie", "c=d")]),
        b"\x40\x01a\x01b\xbe\xbe\xbe\xbe",
        b"\x3f\xe1\x1f\x82\x20\x84",
        b"\x00\x85\xf2\xb2\x4a\x84\xff\x01x",
        b"\x40\x01a\x7f\x81\x1f" + b"v" * 4096 + b"\xbe" * 30,
    ),
    (b"\x3f\xe1\x1f", b"\x20", b"\x80", b"\xff", b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x7f", b"\x40",
     b"\x00", b"\x10", b"\xbe",
     b"\xc1", b"\x82\x84\x86", b"\x85\xff\xff\xff\xff\xff", b"\x3f\xff\xff\xff\x7f", b"\x01", b"\x8f"),
    check_hpack,
)  # fmt: skip

TARGETS = (SERVER, CLIENT, HPACK)

if __name__ == "__main__":
    sys.exit(main(TARGETS))
