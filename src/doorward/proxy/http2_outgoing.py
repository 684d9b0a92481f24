"""What goes out on a client's HTTP/2 connection, and how the connection ends.

What is to be written gathers in the core and goes out once per turn of the event loop, in one write, so that ten
responses that come together leave together. While the socket is full nothing is taken out of the core, and bodies wait
in their streams; when there is room again, the streams that wait take turns of one frame each.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from math import inf
from typing import TYPE_CHECKING

from doorward.proxy.http2_response import AnsweringStream
from doorward.proxy.http2_stream import Http2Stream
from doorward.proxy.stall import Stall
from doorward.wire.http2 import ServerConnection

if TYPE_CHECKING:
    from doorward.proxy.entry_point import EntryPointServer

IN_FLIGHT = 65536
"""Bytes that are written before the client must have taken some."""
TURN = 16384
"""Bytes that a stream may send before the next one that waits has its turn."""
LINGER_TIME = 2.0
"""Seconds that a client has to read why the connection ends."""
LINGER_SIZE = 1 << 20
"""Bytes that it may still send meanwhile."""


class OutgoingConnection(asyncio.Protocol):
    """See the module."""

    __slots__ = (
        "_busy",
        "_client_left",
        "_closed",
        "_deadline",
        "_discarded",
        "_entry",
        "_lingering",
        "_loop",
        "_paused",
        "_queued",
        "_scheduled",
        "_stall",
        "_streams",
        "_transport",
        "_waiting",
        "core",
    )

    _transport: asyncio.Transport

    def __init__(self, entry: EntryPointServer, core: ServerConnection) -> None:
        self._entry = entry
        self._loop = asyncio.get_running_loop()
        self.core = core
        self._streams: dict[int, Http2Stream] = {}
        self._waiting: dict[int, AnsweringStream] = {}
        """Those that have something to send and could not."""
        self._paused = False
        self._stall: Stall | None = None
        self._queued = 0
        """Bytes of bodies in the core that were not written."""
        self._busy = False
        """Something has arrived and is looked at: what comes of it is written afterwards."""
        self._scheduled = False
        self._deadline = inf
        """When the connection ends if nothing happens."""
        self._client_left = False
        self._lingering = False
        self._discarded = 0
        self._closed = False

    # --- what the transport calls ---

    def pause_writing(self) -> None:
        self._paused = True
        self._stall = Stall(self._transport)

    def resume_writing(self) -> None:
        self._paused = False
        self._stall = None
        self._pump()
        self._write()

    # --- what the streams call ---

    @property
    def full(self) -> bool:
        """The socket takes nothing: bodies wait."""
        return self._paused

    def send_data(self, stream_id: int, data: bytes, last: bool) -> int:
        """Send as much of a body as the client has room for, and how much that was. ``last``: it ends with it."""
        sent = self.core.send_data(stream_id, data, last)
        self._queued += sent
        if self._queued > IN_FLIGHT:
            self._write()
        elif not self._busy and not self._scheduled:
            self.flush()
        return sent

    def consume(self, stream_id: int, size: int) -> None:
        """Somebody took ``size`` bytes of the stream's body."""
        self.core.consume(stream_id, size)
        self.flush()

    def wait(self, stream: AnsweringStream) -> None:
        """``stream`` has something to send when the client takes it."""
        self._waiting[stream.id] = stream

    def flush(self) -> None:
        """Something is to be written: at the end of this turn of the loop."""
        if not self._busy and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._write_scheduled)

    def over(self, stream: AnsweringStream) -> None:
        """``stream`` has ended."""
        self._streams.pop(stream.id, None)
        self._waiting.pop(stream.id, None)
        self.flush()
        if not self._streams:
            self._await_request()

    # --- what goes out ---

    def _write_scheduled(self) -> None:
        self._scheduled = False
        self._write()

    def _write(self) -> None:
        if self._paused or self._closed or self._lingering:
            return
        data = self.core.take()
        self._queued = 0
        if data:
            self._transport.write(data)
        if not self._streams and (self._client_left or self.core.drained):
            self._close()

    def _pump(self) -> None:
        """Let those that wait send, in turns."""
        turns = deque(self._waiting.values())
        while turns and not self._paused:
            stream = turns.popleft()
            if not stream.push(TURN):
                continue
            if stream.waiting:
                turns.append(stream)
            else:
                self._waiting.pop(stream.id, None)

    # --- endings ---

    def _await_request(self) -> None:
        if not self._streams:
            self._deadline = time.monotonic() + self._entry.entry_point.idle_timeout

    def _end_streams(self) -> None:
        streams, self._streams = self._streams, {}
        self._waiting.clear()
        for stream in streams.values():
            stream.gone()

    def _close(self) -> None:
        """Close once everything written has gone out; the sweep sees to it that this ends."""
        self._closed = True
        self._deadline = time.monotonic() + self._entry.entry_point.write_timeout
        self._transport.close()

    def _linger(self) -> None:
        """Say the last words and close so that the client can read them even if it is still sending."""
        self._transport.write(self.core.take())
        self._lingering = True
        self._discarded = 0
        self._deadline = time.monotonic() + LINGER_TIME
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._lingering and self._discarded > LINGER_SIZE and not self._closed:
            self._close()
