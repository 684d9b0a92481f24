"""PROXY protocol, versions 1 and 2: a load balancer in front of us says whose connection it passes on.

The header stands before everything else, TLS included. It is read from addresses that are trusted to write it and
from nobody else (S-046). It is exact or the connection ends: what follows a header that was misread would be
somebody's choice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
"""Begins a header of version 2."""
MAX_BYTES = 4096
"""Of a header with all that load balancers add to it; the standard asks for 536 at least."""

_V1_START = b"PROXY "
_V1_MAX = 107
_v1_number = re.compile(rb"0|[1-9][0-9]{0,4}").fullmatch
_V2_HEAD = 16
_CRC32C = 0x03


class MalformedHeader(ValueError):
    """These bytes began as a PROXY header and are none; the connection ends."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """What the header says."""

    length: int
    """Bytes that it takes; 0: there is none."""
    source: str = ""
    """Address of the client; empty: the connection is the load balancer's own (``LOCAL``, ``UNKNOWN``)."""


def read_proxy_header(data: bytes) -> ProxyHeader | None:
    """The header at the beginning of ``data``, or None while more bytes are needed. Raises MalformedHeader."""
    if data.startswith(_V1_START):
        return _version_1(data)
    if data.startswith(SIGNATURE):
        return _version_2(data)
    if data and (_V1_START.startswith(data) or SIGNATURE.startswith(data)):
        return None
    return ProxyHeader(0) if data else None


def _version_1(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\r\n", 0, _V1_MAX)
    if end < 0:
        if len(data) >= _V1_MAX:
            raise MalformedHeader("no end of line")
        return None
    words = data[:end].split(b" ")
    if words[1] == b"UNKNOWN":
        return ProxyHeader(end + 2)
    if len(words) != 6 or words[1] not in (b"TCP4", b"TCP6"):
        raise MalformedHeader("neither TCP4, TCP6 nor UNKNOWN with two addresses and two ports")
    for port in words[4:]:
        if _v1_number(port) is None or int(port) > 65535:
            raise MalformedHeader("no port")
    wanted = IPv4Address if words[1] == b"TCP4" else IPv6Address
    try:
        source, _ = (wanted(word.decode("ascii")) for word in words[2:4])
    except ValueError as error:
        raise MalformedHeader("no address") from error
    return ProxyHeader(end + 2, _plain(source))


def _version_2(data: bytes) -> ProxyHeader | None:
    if len(data) < _V2_HEAD:
        return None
    command, family = data[12], data[13]
    length = _V2_HEAD + (data[14] << 8 | data[15])
    if command not in (0x20, 0x21) or family not in _ADDRESSES:
        raise MalformedHeader("a version, command or family that does not exist")
    if length > MAX_BYTES:
        raise MalformedHeader("too long")
    if len(data) < length:
        return None
    size = _ADDRESSES[family]
    header = data[:length]
    addresses, rest = header[_V2_HEAD : _V2_HEAD + size], header[_V2_HEAD + size :]
    if len(addresses) < size and command == 0x21:
        raise MalformedHeader("no addresses")
    _check_extras(rest, header, _V2_HEAD + size)
    if command == 0x20 or family not in (0x11, 0x21):
        return ProxyHeader(length)
    return ProxyHeader(length, _plain(ip_address(addresses[: 4 if family == 0x11 else 16])))


_ADDRESSES = {0x00: 0, 0x11: 12, 0x12: 12, 0x21: 36, 0x22: 36, 0x31: 216, 0x32: 216}
"""Bytes of both addresses and ports, by family and transport."""


def _check_extras(extras: bytes, header: bytes, offset: int) -> None:
    """Type, length, value: they must fill the rest exactly, and a checksum must be right."""
    at = 0
    while at < len(extras):
        if len(extras) - at < 3:
            raise MalformedHeader("an extra field cut short")
        kind, size = extras[at], extras[at + 1] << 8 | extras[at + 2]
        value = extras[at + 3 : at + 3 + size]
        if len(value) != size:
            raise MalformedHeader("an extra field cut short")
        if kind == _CRC32C:
            place = offset + at + 3
            zeroed = header[:place] + bytes(size) + header[place + size :]
            if size != 4 or crc32c(zeroed) != int.from_bytes(value, "big"):
                raise MalformedHeader("a checksum that is wrong")
        at += 3 + size


def _plain(address: IPv4Address | IPv6Address) -> str:
    """As the socket layer writes it; an IPv4 address in IPv6 clothes is the IPv4 address."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """Castagnoli's checksum (RFC 3720 appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF
