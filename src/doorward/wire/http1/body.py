"""Where a body ends. Each scanner takes whatever bytes arrived and gives back the payload in them.

``feed(data)`` returns the payload; when ``done`` turns true, ``rest`` holds the bytes after the body. Chunk framing,
extensions are validated and dropped here, trailers validated and sifted: whoever passes the payload on frames it anew,
so no ambiguity in framing survives the hop (S-016 to S-020).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from doorward.messages.http import Header
from doorward.wire.http1.errors import Rejected, WireError
from doorward.wire.http1.fields import parse_fields
from doorward.wire.http1.limits import Limits
from doorward.wire.http1.trailers import permitted
from doorward.wire.http1.write import field_block

_size_line = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]*)?").fullmatch
_size_then_extension = re.compile(rb"[0-9A-Fa-f]{1,16};").match


class BodyScanner(Protocol):
    done: bool
    rest: bytes
    trailers: tuple[Header, ...]
    """Fields that came after the body and may be passed on; complete when ``done``."""

    def feed(self, data: bytes) -> bytes:
        """The payload within ``data``. Raises Rejected (a chunked body that breaks the grammar or a limit)."""
        ...


class SizedBody:
    """A body of ``length`` bytes (more than 0)."""

    __slots__ = ("done", "left", "rest")
    trailers: tuple[Header, ...] = ()

    def __init__(self, length: int) -> None:
        self.left = length
        self.done = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        left = self.left - len(data)
        if left > 0:
            self.left = left
            return data
        self.done = True
        if left < 0:
            self.rest = data[self.left :]
            data = data[: self.left]
        self.left = 0
        return data


class EndlessBody:
    """A response body that ends when the connection does."""

    __slots__ = ("done", "rest")
    trailers: tuple[Header, ...] = ()

    def __init__(self) -> None:
        self.done = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        return data


class ChunkedBody:
    """A chunked body (RFC 9112 section 7.1)."""

    __slots__ = ("_left", "_limits", "_line", "_overhead", "_payload", "_trailers", "done", "rest", "trailers")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._line = b""
        """Start of a line whose end has not arrived."""
        self._left = 0
        """Bytes of the current chunk's data and of its CRLF that are still to come; 0 means a size line is next."""
        self._trailers: bytearray | None = None
        """Not None once the last chunk was seen."""
        self._overhead = 0
        self._payload = 0
        self.done = False
        self.rest = b""
        self.trailers: tuple[Header, ...] = ()

    def feed(self, data: bytes) -> bytes:
        pieces: list[bytes] = []
        position, end = 0, len(data)
        while position < end and not self.done:
            take = self._take_data if self._left else self._take_line
            position = take(data, position, pieces)
        if self.done:
            self.rest = data[position:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _take_data(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        """The next bytes of chunk data, up to and including the CRLF after it."""
        payload = self._left - 2
        if payload > 0:
            piece = data[position : position + payload]
            pieces.append(piece)
            self._payload += len(piece)
            self._left -= len(piece)
            position += len(piece)
            if self._left > 2:
                return position
        ending = data[position : position + self._left]
        if not b"\r\n"[2 - self._left :].startswith(ending):
            raise Rejected(400, "chunk_end")
        self._left -= len(ending)
        return position + len(ending)

    def _take_line(self, data: bytes, position: int, _pieces: list[bytes]) -> int:
        """The next size line or trailer line, or its beginning."""
        feed = data.find(b"\n", position)
        stop = feed + 1 if feed >= 0 else len(data)
        line = self._line + data[position:stop]
        if self._trailers is None:
            self._size_line(line, complete=feed >= 0)
        else:
            self._trailer_line(line, complete=feed >= 0)
        self._line = b"" if feed >= 0 else line
        return stop

    def _size_line(self, line: bytes, complete: bool) -> None:
        if len(line) > self._limits.chunk_line + 2:
            raise Rejected(400, "chunk_size")
        if not complete:
            return
        # A line feed without CR before it, or a CR elsewhere, fails the grammar and is named by where it stands.
        match = _size_line(line[:-2]) if line.endswith(b"\r\n") else None
        if match is None:
            raise Rejected(400, "chunk_ext" if _size_then_extension(line) else "chunk_size")
        self._overhead += len(line) + 2
        if self._overhead > 2 * self._payload + self._limits.chunk_overhead:
            raise Rejected(400, "chunk_overhead")
        size = int(match[1], 16)
        if size:
            self._left = size + 2
        else:
            self._trailers = bytearray()

    def _trailer_line(self, line: bytes, complete: bool) -> None:
        assert self._trailers is not None
        if len(self._trailers) + len(line) > self._limits.trailers + 2:
            raise Rejected(431, "trailers")
        if not complete:
            return
        if line != b"\r\n":
            self._trailers += line
            return
        try:
            if self._trailers:
                self.trailers = permitted(parse_fields(bytes(self._trailers)))
        except WireError as error:
            raise Rejected(400, "trailer_" + error.reason) from None
        self.done = True


def chunk(payload: bytes) -> bytes:
    """``payload`` (not empty) as one chunk."""
    return b"%x\r\n%b\r\n" % (len(payload), payload)


LAST_CHUNK = b"0\r\n\r\n"


def last_chunk(trailers: Iterable[Header]) -> bytes:
    """The end of a chunked body with fields after it. Raises UnsafeField."""
    return b"0" + field_block(permitted(trailers))
