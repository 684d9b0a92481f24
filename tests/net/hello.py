"""ClientHello messages as real clients send them, and their parts for those that are bent."""

from __future__ import annotations

import ssl


def real_hello(name: str | None, *protocols: str) -> bytes:
    """The first flight of this Python's own TLS client, in one record."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def vector(size: int, content: bytes) -> bytes:
    return len(content).to_bytes(size, "big") + content


def extension(kind: int, content: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(2, content)


def server_name(name: bytes, kind: int = 0) -> bytes:
    return extension(0, vector(2, bytes((kind,)) + vector(2, name)))


def message(*extensions: bytes, suites: bytes = b"\x13\x01", session: bytes = b"", tail: bytes = b"") -> bytes:
    """A handshake message without records."""
    body = b"\x03\x03" + bytes(32) + vector(1, session) + vector(2, suites) + b"\x01\x00"
    body += vector(2, b"".join(extensions)) + tail
    return b"\x01" + vector(3, body)


def records(content: bytes, size: int = 16384) -> bytes:
    """``content`` in records of at most ``size`` bytes."""
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    return b"".join(b"\x16\x03\x01" + vector(2, part) for part in parts)
