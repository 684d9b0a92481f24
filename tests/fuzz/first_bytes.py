"""What stands before HTTP: PROXY headers and ClientHellos. And the frames of WebSockets, which go by."""

from __future__ import annotations

import ipaddress
import sys
from random import Random

from doorward.net.client_hello import MAX_BYTES as LONGEST_HELLO
from doorward.net.client_hello import ClientHello, MalformedHello, read_client_hello
from doorward.net.proxy_protocol import MAX_BYTES, SIGNATURE, MalformedHeader, ProxyHeader, read_proxy_header
from doorward.wire.websocket import FrameBoundary
from fuzz.mutation import in_bytes, in_pieces
from fuzz.target import Target, main


def _places(data: bytes, random: Random) -> list[int]:
    """How much has arrived, again and again."""
    few = sorted(random.randrange(len(data) + 1) for _ in range(12))
    return [*range(min(len(data), 64)), *few, len(data)]


def _proxied(data: bytes) -> ProxyHeader | str | None:
    try:
        return read_proxy_header(data)
    except MalformedHeader:
        return "malformed"


def check_proxy_header(data: bytes, random: Random) -> None:
    whole = _proxied(data)
    if isinstance(whole, ProxyHeader):
        assert whole.length <= min(len(data), MAX_BYTES)
        if whole.source:
            ipaddress.ip_address(whole.source)
    elif whole is None:
        assert len(data) < MAX_BYTES, "it waits for more than there may be"
    for place in _places(data, random):
        early = _proxied(data[:place])
        assert early is None or early == whole, (place, early, whole)


PROXY = Target(
    "proxy-protocol",
    (
        b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n",
        b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n",
        b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
        SIGNATURE + b"\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbbrest",
        SIGNATURE + b"\x21\x21\x00\x24" + bytes(10) + b"\xff\xff\xc0\x00\x02\x01" + bytes(20) + b"rest",
        SIGNATURE + b"\x20\x00\x00\x00",
        SIGNATURE + b"\x21\x11\x00\x13\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb\x03\x00\x04\x00\x00\x00\x00",
        b"GET / HTTP/1.1\r\n\r\n",
    ),
    (b"PROXY ", b"TCP4 ", b"TCP6 ", b"UNKNOWN", b"\r\n", b" ", b"\0", b"256.1.1.1", b"65536", b"::", b"%eth0",
     b"01", SIGNATURE,
     b"\x21\x11", b"\xff\xff", b"\x00\x00", b"\x03\x00\x04", b"\x31\x31"),
    check_proxy_header,
)  # fmt: skip


def _hello(data: bytes) -> ClientHello | str | None:
    try:
        return read_client_hello(data)
    except MalformedHello:
        return "malformed"


def check_hello(data: bytes, random: Random) -> None:
    whole = _hello(data)
    if isinstance(whole, ClientHello):
        assert len(whole.server_name) <= 255
        assert whole.server_name == whole.server_name.lower()
        again = _hello(_in_records(data, random))
        assert again == whole, "other records, another hello"
    elif whole is None:
        assert len(data) < LONGEST_HELLO
    for place in _places(data, random):
        early = _hello(data[:place])
        assert early is None or early == whole, (place, early, whole)


def _in_records(data: bytes, random: Random) -> bytes:
    """The same handshake message in records of other sizes."""
    message = bytearray()
    at = 0
    while at + 5 <= len(data) and data[at] == 0x16:
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        message += data[at + 5 : at + 5 + size]
        at += 5 + size
    message = message[: 4 + int.from_bytes(message[1:4], "big")]
    records = b""
    while message:
        size = random.choice((1, 2, 5, 40, 300, 16384))
        piece, message = message[:size], message[size:]
        records += b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece
    return records


def _made_hello(*extensions: tuple[int, bytes]) -> bytes:
    listed = b"".join(kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for kind, value in extensions)
    body = (
        b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00" + len(listed).to_bytes(2, "big") + listed
    )
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


_NAME = b"\x00\x13\x00\x00\x10app.example.test"
HELLO = Target(
    "client-hello",
    (
        _made_hello((0, _NAME), (16, b"\x00\x0c\x02h2\x08http/1.1"), (10, b"\x00\x04\x00\x1d\x00\x17")),
        _made_hello(),
        _made_hello((0, _NAME), (21, bytes(300))),
        _made_hello((0, b"\x00\x06\x00\x00\x03A.B"), (43, b"\x02\x03\x04")),
        b"GET / HTTP/1.1\r\n\r\n",
    ),
    (b"\x16\x03\x01", b"\x16\x03\x03\x00\x01", b"\x00\x00", b"\xff\xff", b"\x01", b"\x00", _NAME,
     b"\x00\x10\x00\x0e", b"\x02h2", b".",
     b"\x00\x0a", b"xn--", b"\x80", b"app.example.test"),
    check_hello,
)  # fmt: skip


def _boundary(pieces: list[bytes]) -> bool:
    follower = FrameBoundary()
    for piece in pieces:
        follower.feed(piece)
        assert len(follower._header) <= 14, "a header longer than any"
    return follower.between


def check_frames(data: bytes, random: Random) -> None:
    whole = _boundary([data])
    assert _boundary(in_pieces(data, random)) is whole
    if len(data) <= 4096:
        assert _boundary(in_bytes(data)) is whole


FRAMES = Target(
    "websocket-frames",
    (
        b"\x81\x05hello\x89\x00",
        b"\x82\x7e\x01\x00" + bytes(256),
        b"\x81\x85abcdhello",
        b"\x82\x7f" + bytes(7) + b"\x03abc",
    ),
    (b"\x88\x02\x03\xe8", b"\x7f", b"\xff", b"\x7e\xff\xff", bytes(8), b"\x80", b"\x00"),
    check_frames,
)

TARGETS = (PROXY, HELLO, FRAMES)

if __name__ == "__main__":
    sys.exit(main(TARGETS))
