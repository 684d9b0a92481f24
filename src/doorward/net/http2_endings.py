"""How a connection to a server that speaks HTTP/2 ends: with the last call that it has, unless it is lost before."""

from __future__ import annotations

import asyncio
import time

from doorward.net.http2_call import Http2Call
from doorward.net.http2_outlet import Outlet
from doorward.wire.http2 import ClientConnection, ErrorCode


class EndingUpstream(asyncio.Protocol):
    """What every part of a connection knows, and its endings."""

    __slots__ = ("_calls", "_closed", "_idle_since", "_left", "_outlet", "_reserved", "core", "transport")

    transport: asyncio.Transport

    def __init__(self, core: ClientConnection, now: float) -> None:
        self.core = core
        self._outlet = Outlet(core)
        self._calls: dict[int, Http2Call] = {}
        self._reserved = 0
        """Calls that were given out and have not asked yet."""
        self._closed = False
        self._left = False
        """No more calls are wanted."""
        self._idle_since = now

    @property
    def idle(self) -> bool:
        return not self._calls and not self._reserved

    def _is_gone(self) -> None:
        """Whoever keeps it must know."""
        raise NotImplementedError

    def retire(self) -> None:
        """Take no more calls; close when the last one has ended."""
        self._leave()
        if self.idle:
            self._say_goodbye()

    def drop(self) -> None:
        """Nobody will use it; it may not even stand."""
        self._closed = self._outlet.shut = True
        if hasattr(self, "transport"):
            self.transport.abort()

    def _end(self, call: Http2Call) -> None:
        self._calls.pop(call.id, None)
        self._outlet.forget(call)
        self._rest()

    def _rest(self) -> None:
        if self.idle:
            self._idle_since = time.monotonic()
            if self._left and not self._closed:
                # Not now: what this turn has to write goes out first.
                asyncio.get_running_loop().call_soon(self._say_goodbye)

    def _leave(self) -> None:
        if not self._left:
            self._left = True
            self._rest()

    def _say_goodbye(self) -> None:
        if self._closed or not self.idle:
            return
        self.core.fail(ErrorCode.NO_ERROR)
        self._outlet.paused = False
        self._outlet.write()
        self._close()

    def _close(self) -> None:
        self._closed = self._outlet.shut = True
        self._is_gone()
        self.transport.close()
