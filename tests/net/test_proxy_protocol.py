"""PROXY protocol headers: read exactly, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.net.proxy_protocol import (
    SIGNATURE,
    MalformedHeader,
    ProxyHeader,
    crc32c,
    read_proxy_header,
)

ADDRESSES_4 = bytes((192, 0, 2, 7, 127, 0, 0, 1)) + b"\x10\x00\x01\xbb"
ADDRESSES_6 = bytes.fromhex("20010db8000000000000000000000007" + "00" * 15 + "01") + b"\x10\x00\x01\xbb"


def version_2(content: bytes = ADDRESSES_4, command: int = 0x21, family: int = 0x11) -> bytes:
    return SIGNATURE + bytes((command, family)) + len(content).to_bytes(2, "big") + content


def extra(kind: int, value: bytes) -> bytes:
    return bytes((kind,)) + len(value).to_bytes(2, "big") + value


def with_checksum(flaw: int = 0) -> bytes:
    blank = version_2(ADDRESSES_4 + extra(2, b"app.test") + extra(3, bytes(4)))
    return blank[:-4] + (crc32c(blank) ^ flaw).to_bytes(4, "big")


GOOD = {
    "TCP4": (b"PROXY TCP4 192.0.2.7 127.0.0.1 4096 443\r\n", "192.0.2.7"),
    "TCP6": (b"PROXY TCP6 2001:db8::7 ::1 4096 443\r\n", "2001:db8::7"),
    "mapped": (b"PROXY TCP6 ::ffff:192.0.2.7 ::1 4096 443\r\n", "192.0.2.7"),
    "unknown": (b"PROXY UNKNOWN\r\n", ""),
    "unknown with words": (b"PROXY UNKNOWN ff:: :: 1 2\r\n", ""),
    "v2 IPv4": (version_2(), "192.0.2.7"),
    "v2 IPv6": (version_2(ADDRESSES_6, family=0x21), "2001:db8::7"),
    "v2 with extras": (version_2(ADDRESSES_4 + extra(2, b"app.test") + extra(4, b"")), "192.0.2.7"),
    "v2 with checksum": (with_checksum(), "192.0.2.7"),
    "v2 local": (version_2(b"", 0x20, 0), ""),
    "v2 local with addresses": (version_2(ADDRESSES_4, 0x20), ""),
    "v2 unspecified": (version_2(extra(4, bytes(5)), family=0), ""),
    "v2 Unix socket": (version_2(bytes(216), family=0x31), ""),
}


@pytest.mark.parametrize(("header", "source"), GOOD.values(), ids=GOOD.keys())
def test_the_address_is_read(header: bytes, source: str) -> None:
    """Both versions, whole and byte by byte; what follows is left alone."""
    for size in range(len(header)):
        assert read_proxy_header(header[:size]) is None

    assert read_proxy_header(header + b"GET / HTTP/1.1\r\n") == ProxyHeader(len(header), source)


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n", b"PUT / HTTP/1.1", b"\x16\x03\x01", b"\r\n\r\nGET", b"PROPFIND /"]
)
def test_a_connection_without_header(data: bytes) -> None:
    """A request or a handshake is no header, and is seen to be none at the first byte that differs."""
    assert read_proxy_header(data) == ProxyHeader(0)


BAD = {
    "words": b"PROXY TCP4 192.0.2.7 127.0.0.1 4096\r\n",
    "family": b"PROXY UDP4 192.0.2.7 127.0.0.1 4096 443\r\n",
    "wrong family": b"PROXY TCP4 ::1 ::1 4096 443\r\n",
    "octal": b"PROXY TCP4 192.0.02.7 127.0.0.1 4096 443\r\n",
    "zone": b"PROXY TCP4 192.0.2.7%1 127.0.0.1 4096 443\r\n",
    "port": b"PROXY TCP4 192.0.2.7 127.0.0.1 65536 443\r\n",
    "port with zero": b"PROXY TCP4 192.0.2.7 127.0.0.1 04096 443\r\n",
    "two spaces": b"PROXY  TCP4 192.0.2.7 127.0.0.1 4096 443\r\n",
    "no end": b"PROXY TCP4 " + b"1" * 107,
    "v2 version": version_2(command=0x31),
    "v2 command": version_2(command=0x22),
    "v2 family": version_2(family=0x41),
    "v2 short addresses": version_2(ADDRESSES_4[:-1]),
    "v2 long": SIGNATURE + b"\x21\x11\xff\xff",
    "v2 extra cut short": version_2(ADDRESSES_4 + b"\x04\x00\x05abc"),
    "v2 half an extra": version_2(ADDRESSES_4 + b"\x04\x00"),
    "v2 checksum": with_checksum(flaw=1),
}


@pytest.mark.parametrize("header", BAD.values(), ids=BAD.keys())
def test_a_header_that_is_not_exact_is_refused(header: bytes) -> None:
    """Nothing is guessed, and nothing of what follows is taken for a part of it."""  # S-046
    for data in (header, header + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"):
        with pytest.raises(MalformedHeader):
            read_proxy_header(data)


def test_checksum() -> None:
    """The test vector that everybody uses."""
    assert crc32c(b"123456789") == 0xE3069283


@given(st.binary(max_size=300))
def test_no_bytes_break_it(data: bytes) -> None:
    """Any bytes are a header, the beginning of one, none, or refused."""
    for given_bytes in (data, b"PROXY " + data, SIGNATURE + data, version_2(data)):
        try:
            read_proxy_header(given_bytes)
        except MalformedHeader:
            pass
