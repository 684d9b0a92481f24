"""How a client's HTTP/1.1 connection ends: at once, after what was written, or so that the client can still read it.

The states of a connection, and what moves it between them:

    OPEN ──head that the express lane knows──► RIDING ──answered, or left to the ordinary way──► OPEN
    OPEN ──response complete, request body not──► DRAINING ──body complete──► OPEN
    OPEN ──101──► TUNNEL                 any ──refused, or must close──► LINGERING ──► closed
"""

from __future__ import annotations

import asyncio
from enum import Enum
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from doorward.proxy.exchange import Exchange
from doorward.proxy.response_writer import ResponseWriter
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.request_reader import RequestReader
from doorward.wire.http1.write import BlockMemory

if TYPE_CHECKING:
    from doorward.proxy.entry_point import EntryPointServer

IN_FLIGHT = 65536
"""Bytes that are held for a side that is not ready, each way."""
LINGER_TIME = 2.0
"""Seconds that a client has to read our last words before the connection goes: bytes that it still sends would
otherwise make the kernel throw them away."""


class State(Enum):
    """See the module."""

    OPEN = 1
    DRAINING = 2
    LINGERING = 3
    TUNNEL = 4
    CLOSED = 5
    RIDING = 6


OPEN, DRAINING, LINGERING = State.OPEN, State.DRAINING, State.LINGERING
TUNNEL, CLOSED, RIDING = State.TUNNEL, State.CLOSED, State.RIDING


class EndingConnection(asyncio.Protocol):
    """What every part of a connection knows, and its endings."""

    __slots__ = (
        "_deadline",
        "_discarded",
        "_dozing",
        "_entry",
        "_exchange",
        "_paused",
        "_reader",
        "_response",
        "_state",
        "_transport",
        "forwarded",
        "head",
    )

    __deletable__ = ("_reader", "_response", "forwarded", "head")  # for the compiler
    head: RequestHead
    forwarded: BlockMemory
    _reader: RequestReader
    _response: ResponseWriter
    _transport: asyncio.Transport

    def __init__(self, entry: EntryPointServer) -> None:
        self._entry = entry
        self._state = OPEN
        self._exchange: Exchange | None = None
        self._dozing = True
        """It does nothing, and has nothing of what it needs for doing something."""
        self._deadline = inf
        self._paused = False
        self._discarded = 0

    def _close(self) -> None:
        """Close once everything written has gone out; the sweep sees to it that this ends."""
        self._state = CLOSED
        self._deadline = monotonic() + self._entry.entry_point.write_timeout
        self._transport.close()

    def _linger(self) -> None:
        """Close so that the client can read our last words even if it is still sending."""
        self._state = LINGERING
        self._discarded = 0
        self._deadline = monotonic() + LINGER_TIME
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        elif self._reader.body is None and not self._reader.buffered:
            # TLS has no half close, and this client has sent nothing that is still on its way as far as we know.
            self._close()

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > IN_FLIGHT and self._state is LINGERING:
            self._close()

    def _cut(self) -> None:
        self._state = CLOSED
        if not self._dozing:
            self._response.drop()
        self._transport.abort()
