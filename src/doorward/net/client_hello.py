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
from dataclasses import dataclass

HANDSHAKE = 0x16
"""The first byte of every TLS connection (content type of the first record)."""
MAX_BYTES = 32768
"""A ClientHello with post-quantum shares has about 2 kB; OpenSSL takes 128 KiB, of which nobody makes use."""

_CLIENT_HELLO = 1
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
    return _client_hello(_Cursor(message))


def _handshake_message(data: bytes) -> bytes | None:
    """The body of the first handshake message, put together from its records."""
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


class _Cursor:
    """Reads fields from the front; anything missing is malformed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise MalformedHello("cut short")
        self._at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """A vector whose length stands before it in ``size`` bytes."""
        return self.take(self.number(size))

    def end(self) -> None:
        if not self.at_end:
            raise MalformedHello("bytes that belong to nothing")


def _client_hello(cursor: _Cursor) -> ClientHello:
    if cursor.take(2)[0] != 3:
        raise MalformedHello("no version of TLS")
    cursor.take(32)
    if len(cursor.vector(1)) > 32:
        raise MalformedHello("session id too long")
    suites = cursor.vector(2)
    if not suites or len(suites) % 2:
        raise MalformedHello("cipher suites of no possible length")
    if not cursor.vector(1):
        raise MalformedHello("no compression method")
    extensions = _extensions(cursor)
    return ClientHello(
        server_name=_server_name(extensions[_SERVER_NAME]) if _SERVER_NAME in extensions else "",
        protocols=_protocols(extensions[_PROTOCOLS]) if _PROTOCOLS in extensions else (),
        groups=_groups(extensions[_GROUPS]) if _GROUPS in extensions else (),
    )


def _extensions(cursor: _Cursor) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    if cursor.at_end:
        return found
    inside = _Cursor(cursor.vector(2))
    cursor.end()
    while not inside.at_end:
        kind = inside.number(2)
        if kind in found:
            raise MalformedHello("an extension twice")
        found[kind] = inside.vector(2)
    return found


def _server_name(extension: bytes) -> str:
    outer = _Cursor(extension)
    names = _Cursor(outer.vector(2))
    outer.end()
    kind, raw = names.number(1), names.vector(2)
    names.end()  # RFC 6066 allows one name of each type, and there is one type
    name = raw.decode("latin-1").lower()
    if kind != 0 or len(name) > 255 or _host_name(name) is None:
        raise MalformedHello("a server name that is none")
    return name.removesuffix(".")


def _protocols(extension: bytes) -> tuple[str, ...]:
    outer = _Cursor(extension)
    names = _Cursor(outer.vector(2))
    outer.end()
    found = []
    while not names.at_end:
        name = names.vector(1)
        if not name:
            raise MalformedHello("a protocol without name")
        found.append(name.decode("latin-1"))
    if not found:
        raise MalformedHello("no protocols")
    return tuple(found)


def _groups(extension: bytes) -> tuple[int, ...]:
    outer = _Cursor(extension)
    listed = outer.vector(2)
    outer.end()
    if not listed or len(listed) % 2:
        raise MalformedHello("groups of no possible length")
    return tuple(int.from_bytes(listed[at : at + 2], "big") for at in range(0, len(listed), 2))
