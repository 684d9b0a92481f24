"""What goes out on an HTTP/2 connection to a server.

What is to be written gathers in the core and goes out once per turn of the event loop. While the socket is full
nothing is taken out of the core, and what is to be sent waits in the calls; when there is room again they take turns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from doorward.wire.http2 import ClientConnection

if TYPE_CHECKING:
    from doorward.net.http2_call import Http2Call

IN_FLIGHT = 65536
"""Bytes that are written before the server must have taken some."""
TURN = 16384
"""Bytes that a call may send before the next one that waits has its turn."""


class Outlet:
    """See the module."""

    __slots__ = ("_core", "_queued", "_scheduled", "_transport", "_waiting", "busy", "paused", "shut")

    _transport: asyncio.Transport

    def __init__(self, core: ClientConnection) -> None:
        self._core = core
        self._waiting: dict[int, Http2Call] = {}
        """Those that have something to send and could not."""
        self._queued = 0
        """Bytes of bodies in the core that were not written."""
        self._scheduled = False
        self.busy = False
        """Something has arrived and is looked at: it is written afterwards."""
        self.paused = False
        """The socket takes nothing."""
        self.shut = False
        """Nothing is written any more."""

    def open(self, transport: asyncio.Transport) -> None:
        """The connection stands."""
        self._transport = transport
        self.write()

    def flush(self) -> None:
        """Something is to be written: at the end of this turn of the loop."""
        if not self.busy and not self._scheduled and not self.shut:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._write_scheduled)

    def write(self) -> None:
        """Write what there is now."""
        if self.paused or self.shut:
            return
        data = self._core.take()
        self._queued = 0
        if data:
            self._transport.write(data)

    def send_data(self, stream: int, data: bytes, last: bool) -> int:
        """See ``Http2Upstream``."""
        sent = self._core.send_data(stream, data, last)
        self._queued += sent
        if self._queued > IN_FLIGHT:
            self.write()
        else:
            self.flush()
        return sent

    def wait(self, call: Http2Call) -> None:
        """``call`` has something to send when the server takes it."""
        self._waiting[call.id] = call

    def forget(self, call: Http2Call) -> None:
        """It sends nothing more."""
        self._waiting.pop(call.id, None)

    def clear(self) -> None:
        """Nobody does."""
        self._waiting.clear()

    def resume(self) -> None:
        """There is room again."""
        self.paused = False
        self.pump()
        self.write()

    def pump(self) -> None:
        """Let those that wait send, in turns."""
        turns = deque(self._waiting.values())
        while turns and not self.paused:
            call = turns.popleft()
            if not call.push(TURN):
                continue
            if call.waiting:
                turns.append(call)
            else:
                self._waiting.pop(call.id, None)

    def _write_scheduled(self) -> None:
        self._scheduled = False
        self.write()
