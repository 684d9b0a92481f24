"""As much of WebSocket (RFC 6455) as a tunnel must know: the handshake's proof, and where frames begin.

The proxy does not take part in the conversation. It checks that the application answered *this* handshake before it
stops reading HTTP (S-229), and it follows the application's frame boundaries so that it can say goodbye with a close
frame (1008, 1001) between two frames rather than inside one.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

POLICY_VIOLATION = 1008
GOING_AWAY = 1001


def accept_value(key: bytes) -> bytes:
    """What ``Sec-WebSocket-Accept`` must be for ``Sec-WebSocket-Key: key``."""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def close_frame(code: int) -> bytes:
    """A server's close frame with a status code and no text."""
    return b"\x88\x02" + code.to_bytes(2, "big")


class FrameBoundary:
    """Follows a stream of frames; ``between`` is true where another frame may be put."""

    __slots__ = ("_header", "_left")

    def __init__(self) -> None:
        self._header = b""
        self._left = 0

    @property
    def between(self) -> bool:
        return not self._left and not self._header

    def feed(self, data: bytes) -> None:
        """``data`` goes by."""
        position, end = self._left, len(data)
        while position < end:
            if not self._header and end - position >= 2 and (short := data[position + 1] & 0x7F) < 126:
                # Most frames: how long they are is told by their first two bytes.
                position += short + (6 if data[position + 1] & 0x80 else 2)
                continue
            self._header += data[position : position + 1]
            position += 1
            if len(self._header) >= 2 and len(self._header) == _header_length(self._header):
                position += _payload_length(self._header)
                self._header = b""
        self._left = position - end


def _header_length(start: bytes) -> int:
    """Bytes of a frame's header (section 5.2), told from its first two."""
    extended = {126: 2, 127: 8}.get(start[1] & 0x7F, 0)
    return 2 + extended + (4 if start[1] & 0x80 else 0)


def _payload_length(header: bytes) -> int:
    short = header[1] & 0x7F
    if short == 126:
        return int.from_bytes(header[2:4], "big")
    if short == 127:
        return int.from_bytes(header[2:10], "big")
    return short
