"""Responses as bytes of HTTP/1.1 or HTTP/1.0: framed anew, gathered, and let out in as few writes as possible."""

from __future__ import annotations

import asyncio

from doorward.messages.http import Header
from doorward.proxy.answers import http_date
from doorward.wire.http1.body import LAST_CHUNK, last_chunk
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.write import BlockMemory, checked_line, field_block

_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"upgrade", b"trailer"))
_JOINED = 16384
"""Bytes up to which several parts are copied into one."""


class ResponseWriter:
    """Writes the responses of one connection, one after another: ``begin``, ``add`` and ``flush`` in turns, ``end``."""

    __slots__ = ("_bodiless", "_chunked", "_memory", "_parts", "_version", "_wants_trailers", "closing", "head")

    def __init__(self) -> None:
        self._memory = BlockMemory()
        self._parts: list[bytes] = []
        """What goes out with the next flush, in one write."""
        self._bodiless = False
        self._chunked = False
        self._version = b""
        self._wants_trailers = False
        self.closing = False
        """The connection ends with this response."""
        self.head = b""
        """The head of the response that was begun last."""

    def begin(
        self, request: RequestHead, status: int, reason: bytes, headers: list[Header], length: int | None, stays: bool
    ) -> None:
        """Begin the response to ``request``; ``length`` of its body, None: unknown. ``stays``: the connection is to be
        used again, if it can be. Raises UnsafeField, and then nothing was begun."""
        version = self._version = request.version
        self._wants_trailers = request.wants_trailers
        self._bodiless = request.method == b"HEAD" or status == 304 or status == 204
        self._chunked = length is None and not self._bodiless and version == b"HTTP/1.1"
        self.closing = not stays or (length is None and not self._bodiless and not self._chunked)
        facts = (http_date(), version, status, reason, length, self._chunked, self.closing)
        block = self._memory.recall(headers, facts)
        if block is None:
            line = checked_line(b"%b %d %b" % (version, status, reason))
            block = self._memory.keep(headers, facts, line + field_block(self._fields(status, headers, length)))
        self.head = block
        self._parts.append(block)

    def _fields(self, status: int, headers: list[Header], length: int | None) -> list[Header]:
        """The fields of a response: those given, and what is ours to say about date, length and connection."""
        fields = [header for header in headers if header[0].lower() not in _FRAMING]
        if not any(header[0].lower() == b"date" for header in fields):
            fields.append((b"Date", http_date()))
        if length is not None and status != 204:
            fields.append((b"Content-Length", b"%d" % length))
        elif self._chunked:
            fields.append((b"Transfer-Encoding", b"chunked"))
        if self.closing:
            fields.append((b"Connection", b"close"))
        elif self._version == b"HTTP/1.0":
            fields.append((b"Connection", b"keep-alive"))
        return fields

    def add(self, data: bytes) -> bool:
        """The next part of the body. False: this response has none."""
        if self._bodiless:
            return False
        if self._chunked:
            self._parts += (b"%x\r\n" % len(data), data, b"\r\n")
        else:
            self._parts.append(data)
        return True

    def trail(self, trailers: tuple[Header, ...]) -> None:
        """Put fields after the body, if the client takes such."""
        if self._chunked and self._wants_trailers:
            self._parts.append(last_chunk(trailers))
            self._chunked = False

    def end(self, transport: asyncio.Transport) -> None:
        """The response is complete."""
        if self._chunked:
            self._parts.append(LAST_CHUNK)
        self.flush(transport)

    def flush(self, transport: asyncio.Transport) -> None:
        """Let out what was gathered."""
        parts = self._parts
        if not parts:
            return
        self._parts = []
        if len(parts) == 1:
            transport.write(parts[0])
        elif sum(map(len, parts)) <= _JOINED:
            transport.write(b"".join(parts))
        else:
            transport.writelines(parts)

    def drop(self) -> None:
        """The response will not become complete."""
        self._parts.clear()

    def forget(self) -> None:
        """Free the memory: nothing is expected soon."""
        self._memory.forget()
