"""Frames: the nine bytes before each payload, both ways (RFC 9113 sections 4 and 6)."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from doorward.wire.http2.codes import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_HEADER,
    GOAWAY,
    HAS_PRIORITY,
    HEADERS,
    MAX_STREAM_ID,
    PADDED,
    PING,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    ErrorCode,
)
from doorward.wire.http2.errors import ConnectionFault

Frame = tuple[int, int, int, bytes]
"""Type, flags, stream, payload."""

_header = Struct(">HBBBL")
_setting = Struct(">HL")
_long = Struct(">L")
_two_longs = Struct(">LL")
_unpack_header = _header.unpack_from
_pack_header = _header.pack


class FrameReader:
    """Frames out of whatever pieces their bytes arrive in."""

    __slots__ = ("_buffer", "_largest", "oversized")

    def __init__(self, largest: int) -> None:
        self._buffer = b""
        self._largest = largest
        self.oversized = False
        """A frame larger than we take has begun: it comes after those that were given out, and nothing after it."""

    @property
    def unfinished(self) -> bool:
        """A frame has begun and waits for more."""
        return bool(self._buffer)

    def read(self, data: bytes) -> list[Frame]:
        """The frames that ``data`` completes."""
        buffer = self._buffer + data if self._buffer else data
        frames: list[Frame] = []
        position, end = 0, len(buffer)
        while end - position >= FRAME_HEADER:
            high, low, kind, flags, stream = _unpack_header(buffer, position)
            length = high << 8 | low
            if length > self._largest:
                self.oversized = True
                break
            start = position + FRAME_HEADER
            if end - start < length:
                break
            position = start + length
            # The highest bit of the stream identifier is reserved and ignored (section 4.1).
            frames.append((kind, flags, stream & MAX_STREAM_ID, buffer[start:position]))
        self._buffer = buffer[position:]
        return frames


def without_padding(flags: int, payload: bytes) -> bytes:
    """What is left of a DATA or HEADERS payload. Raises ConnectionFault (section 6.1)."""
    if not flags & PADDED:
        return payload
    if not payload:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "padding")
    end = len(payload) - payload[0]
    if end < 1:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "padding")
    return payload[1:end]


def fragment_of(flags: int, payload: bytes) -> tuple[bytes, int]:
    """The piece of a header block in a HEADERS frame, and the stream that it depends on (0 if it does not say).

    Raises ConnectionFault.
    """
    payload = without_padding(flags, payload)
    if not flags & HAS_PRIORITY:
        return payload, 0
    if len(payload) < 5:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "headers_size")
    return payload[5:], dependency_of(payload)


def dependency_of(payload: bytes) -> int:
    """The stream in the first four bytes of a priority (section 6.3)."""
    return int.from_bytes(payload[:4], "big") & MAX_STREAM_ID


def number_of(payload: bytes) -> int:
    """The number that a RST_STREAM or WINDOW_UPDATE frame holds. Raises ConnectionFault."""
    if len(payload) != 4:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "frame_size")
    return int.from_bytes(payload, "big")


def settings_of(payload: bytes) -> list[tuple[int, int]]:
    """The parameters in a SETTINGS frame, in order. Raises ConnectionFault (section 6.5)."""
    if len(payload) % _setting.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "settings_size")
    return list(_setting.iter_unpack(payload))


def goaway_of(payload: bytes) -> tuple[int, int]:
    """The last stream and the error code in a GOAWAY frame. Raises ConnectionFault."""
    if len(payload) < _two_longs.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "frame_size")
    last, code = _two_longs.unpack_from(payload)
    return last & MAX_STREAM_ID, code


def frame_header(size: int, kind: int, flags: int, stream: int) -> bytes:
    """The nine bytes before a payload of ``size`` bytes."""
    return _pack_header(size >> 8, size & 0xFF, kind, flags, stream)


def headers_frames(stream: int, block: bytes, ended: bool, largest: int) -> bytes:
    """A header block as one HEADERS frame and as many CONTINUATION frames as it takes."""
    flags = END_STREAM if ended else 0
    if len(block) <= largest:
        return frame_header(len(block), HEADERS, flags | END_HEADERS, stream) + block
    kind = HEADERS
    frames: list[bytes] = []
    for start in range(0, len(block), largest):
        piece = block[start : start + largest]
        if start + largest >= len(block):
            flags |= END_HEADERS
        frames += (frame_header(len(piece), kind, flags, stream), piece)
        kind, flags = CONTINUATION, 0
    return b"".join(frames)


def data_header(stream: int, size: int, ended: bool) -> bytes:
    return _pack_header(size >> 8, size & 0xFF, DATA, END_STREAM if ended else 0, stream)


def settings_frame(parameters: Iterable[tuple[int, int]]) -> bytes:
    payload = b"".join(_setting.pack(key, value) for key, value in parameters)
    return frame_header(len(payload), SETTINGS, 0, 0) + payload


SETTINGS_ACK = frame_header(0, SETTINGS, ACK, 0)


def ping_frame(payload: bytes, answer: bool) -> bytes:
    return frame_header(8, PING, ACK if answer else 0, 0) + payload


def window_update(stream: int, increment: int) -> bytes:
    return frame_header(4, WINDOW_UPDATE, 0, stream) + _long.pack(increment)


def rst_stream(stream: int, code: int) -> bytes:
    return frame_header(4, RST_STREAM, 0, stream) + _long.pack(code)


def goaway_frame(last_stream: int, code: int) -> bytes:
    return frame_header(8, GOAWAY, 0, 0) + _two_longs.pack(last_stream, code)
