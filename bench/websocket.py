"""Just enough of RFC 6455 for both ends of a measurement: short binary messages, never fragmented.

The client masks with a key of zeros, which leaves the payload as it is: masking is no part of what a proxy does.
"""

from __future__ import annotations

import base64
import hashlib
import socket

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key: bytes) -> bytes:
    """``Sec-WebSocket-Accept`` for a ``Sec-WebSocket-Key``."""
    return base64.b64encode(hashlib.sha1(key + _MAGIC).digest())


def from_client(payload: bytes) -> bytes:
    """A binary message, at most 65,535 bytes."""
    return b"\x82" + _length(len(payload), 0x80) + b"\0\0\0\0" + payload


def from_server(payload: bytes) -> bytes:
    """The same from the other side."""
    return b"\x82" + _length(len(payload), 0) + payload


def echo(connection: socket.socket, kept: bytes) -> None:
    """Send back every message until the client goes."""
    while True:
        answers = []
        while (frame := _frame(kept)) is not None:
            payload, kept = frame
            answers.append(from_server(payload))
        if answers:
            connection.sendall(b"".join(answers))
        piece = connection.recv(65536)
        if not piece:
            return
        kept += piece


def _length(size: int, mask: int) -> bytes:
    return bytes((mask | size,)) if size < 126 else bytes((mask | 126,)) + size.to_bytes(2, "big")


def _frame(data: bytes) -> tuple[bytes, bytes] | None:
    """The first frame's payload and what follows it; raises OSError for a closing frame."""
    if len(data) < 2:
        return None
    if data[0] == 0x88:
        raise OSError("the client closes")
    size, at = data[1] & 0x7F, 2
    if size == 126:
        size, at = int.from_bytes(data[2:4], "big"), 4
    at += 4
    if len(data) < at + size:
        return None
    return data[at : at + size], data[at + size :]
