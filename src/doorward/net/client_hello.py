"""The first message of a TLS client, read before the handshake: the name it wants, the protocols it speaks.

OpenSSL reads the same bytes again and does the handshake. It is read here first because everything that differs from
name to name (versions, ciphers, client certificates) must be settled in the context with which a handshake begins:
a context that is exchanged half way (the SNI callback) does not take all of it along.

RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3, RFC 7301 section 3.1. The message may lie in several records and
the records in any number of segments (S-048). What is not exactly as the standard says is refused: two readers of
one message must not come to two names.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

HANDSHAKE = 0x16
"""The first byte of every TLS connection (content type of the first record)."""
MAX_BYTES = 32768
"""A ClientHello with post-quantum shares has about 2 kB; OpenSSL takes 128 KiB, of which nobody makes use."""

_CLIENT_HELLO = 1
_WHOLE = bytes((HANDSHAKE, 3))
_MAX_RECORD = 16384
_SERVER_NAME, _GROUPS, _PROTOCOLS = 0, 10, 16
_host_name = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.ASCII).fullmatch


class MalformedHello(ValueError):
    """These bytes are no ClientHello; the connection ends."""


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a client says about itself; none of it is proved."""

    server_name: str = ""
    """Lower case, without trailing dot; empty when it names none."""
    protocols: tuple[str, ...] = ()
    """ALPN, in the client's order; empty when it does not use it."""
    groups: tuple[int, ...] = ()
    """Key exchange groups (RFC 8446 section 4.2.7), in the client's order."""


def read_client_hello(data: bytes) -> ClientHello | None:
    """The ClientHello at the beginning of ``data``, or None while more bytes are needed.

    Raises MalformedHello as soon as it cannot become one, or grows beyond ``MAX_BYTES``.
    """
    message = _handshake_message(data)
    if message is None:
        if len(data) >= MAX_BYTES:
            raise MalformedHello("too long")
        return None
    return _client_hello(message)


def _handshake_message(data: bytes) -> bytes | None:
    """The body of the first handshake message, put together from its records."""
    if len(data) > 9 and data.startswith(_WHOLE) and data[5] == _CLIENT_HELLO and data[6] == 0:
        size = data[7] << 8 | data[8]
        if data[3] << 8 | data[4] == size + 4 <= _MAX_RECORD and len(data) >= size + 9:
            return data[9 : size + 9]  # in one record, as nearly everybody sends it
    message = bytearray()
    at = 0
    wanted = 4
    while len(message) < wanted:
        head = data[at : at + 5]
        if head and (head[0] != HANDSHAKE or (len(head) > 1 and head[1] != 3)):
            raise MalformedHello("not a TLS record")
        if len(head) < 5:
            return None
        length = head[3] << 8 | head[4]
        if not 0 < length <= _MAX_RECORD:
            raise MalformedHello("a record of no possible length")
        message += data[at + 5 : at + 5 + length]
        at += 5 + length
        if message and message[0] != _CLIENT_HELLO:
            raise MalformedHello("not a ClientHello")
        if len(message) >= 4:
            wanted = 4 + int.from_bytes(message[1:4], "big")
            if wanted > MAX_BYTES:
                raise MalformedHello("too long")
        if at > len(data) and len(message) < wanted:
            return None
    return bytes(message[4:wanted])


def _client_hello(message: bytes) -> ClientHello:
    """Flat, because every new connection comes through here: session id, suites, compression, extensions."""
    end = len(message)
    try:
        if message[0] != 3:
            raise MalformedHello("no version of TLS")
        session = message[34]
        at = 35 + session
        suites = message[at] << 8 | message[at + 1]
        at += 2 + suites
        compression = message[at]
        at += 1 + compression
        if session > 32 or not suites or suites % 2 or not compression or at > end:
            raise MalformedHello("a session id, suites or compression of no possible length")
        extensions = _extensions(message, at, end)
    except (IndexError, struct.error) as error:
        raise MalformedHello("cut short") from error
    name, protocols, groups = map(extensions.get, (_SERVER_NAME, _PROTOCOLS, _GROUPS))
    return ClientHello(
        _server_name(name) if name is not None else "",
        _protocols(protocols) if protocols is not None else (),
        _groups(groups) if groups is not None else (),
    )


def _extensions(message: bytes, at: int, end: int) -> dict[int, bytes]:
    """By type; they fill the rest of the message exactly, and none comes twice."""
    found: dict[int, bytes] = {}
    if at == end:
        return found
    if at + 2 + (message[at] << 8 | message[at + 1]) != end:
        raise MalformedHello("extensions that are not all of the rest")
    at += 2
    while at < end:
        kind, size = _head(message, at)
        at += 4
        if kind in found or at + size > end:
            raise MalformedHello("an extension twice, or cut short")
        found[kind] = message[at : at + size]
        at += size
    return found


_head = struct.Struct(">HH").unpack_from


def _inside(extension: bytes) -> bytes:
    """The one vector of which an extension consists."""
    if len(extension) < 2 or len(extension) - 2 != extension[0] << 8 | extension[1]:
        raise MalformedHello("a list that is not all of its extension")
    return extension[2:]


def _server_name(extension: bytes) -> str:
    """RFC 6066 allows one name of each type, and there is one type."""
    names = _inside(extension)
    if len(names) < 3 or names[0] != 0 or len(names) - 3 != names[1] << 8 | names[2]:
        raise MalformedHello("not one host name")
    name = names[3:].decode("latin-1").lower()
    if len(name) > 255 or _host_name(name) is None:
        raise MalformedHello("a server name that is none")
    return name.removesuffix(".")


def _protocols(extension: bytes) -> tuple[str, ...]:
    names = _inside(extension)
    found = []
    at = 0
    while at < len(names):
        size = names[at]
        at += 1 + size
        if not size or at > len(names):
            raise MalformedHello("a protocol without name, or cut short")
        found.append(names[at - size : at].decode("latin-1"))
    if not found:
        raise MalformedHello("no protocols")
    return tuple(found)


def _groups(extension: bytes) -> tuple[int, ...]:
    listed = _inside(extension)
    if not listed or len(listed) % 2:
        raise MalformedHello("groups of no possible length")
    return struct.unpack(f">{len(listed) // 2}H", listed)
