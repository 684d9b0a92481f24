"""A header block out of HEADERS and CONTINUATION frames, which nothing may interrupt (RFC 9113 section 4.3)."""

from __future__ import annotations

from doorward.wire.http2.codes import END_HEADERS, END_STREAM, ErrorCode
from doorward.wire.http2.errors import ConnectionFault
from doorward.wire.http2.frames import fragment_of
from doorward.wire.http2.limits import Http2Limits

Block = tuple[bytes, bool]
"""The complete block, and whether the stream ends with it."""


class HeaderBlocks:
    """``begin`` with a HEADERS frame, ``go_on`` with CONTINUATION frames; each gives the block that it completes."""

    __slots__ = ("_count", "_ended", "_limits", "_pieces", "stream")

    def __init__(self, limits: Http2Limits) -> None:
        self._limits = limits
        self._pieces = bytearray()
        self._ended = False
        self._count = 0
        self.stream = 0
        """The stream whose block is incomplete; 0 if none is."""

    def begin(self, flags: int, stream: int, payload: bytes) -> Block | None:
        """Raises ConnectionFault."""
        fragment, dependency = fragment_of(flags, payload)
        if dependency == stream:
            # Priorities mean nothing here, but this was always an error (RFC 7540 section 5.3.1).
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "self_dependency")
        ended = bool(flags & END_STREAM)
        if flags & END_HEADERS:
            return fragment, ended
        self.stream = stream
        self._ended = ended
        self._count = 0
        self._pieces = bytearray(fragment)
        return None

    def go_on(self, flags: int, stream: int, payload: bytes) -> Block | None:
        """Raises ConnectionFault; as soon as there is too much, not when it ends (S-906)."""
        if stream != self.stream:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "continuation")
        self._count += 1
        self._pieces += payload
        if self._count > self._limits.continuations or len(self._pieces) > self._limits.header_block:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "continuations")
        if not flags & END_HEADERS:
            return None
        self.stream = 0
        block, self._pieces = bytes(self._pieces), bytearray()
        return block, self._ended
