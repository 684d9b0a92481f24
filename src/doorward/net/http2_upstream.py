"""One connection to a server that speaks HTTP/2: any number of requests at a time, each a ``Http2Call``.

What arrives for a call that is told to wait stays with it, and its window stays shut: at most 64 KiB a call, and the
connection's window is wide enough for all of them, so that one slow client never holds up another's answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Protocol, cast

from doorward.net.http2_call import Http2Call
from doorward.net.http2_endings import EndingUpstream
from doorward.net.http2_failures import failure_of
from doorward.net.http2_greeting import Greeting
from doorward.net.http2_outlet import IN_FLIGHT
from doorward.net.http2_vigil import Vigil
from doorward.net.upstream import CannotConnect, Garbage, Lost
from doorward.wire.http2 import (
    ClientConnection,
    ConnectionFailed,
    DataReceived,
    ErrorCode,
    Event,
    GoawayReceived,
    Http2Limits,
    ResponseReceived,
    SettingsReceived,
    StreamReset,
    TrailersReceived,
    WindowOpened,
)

MAX_CALLS = 100
"""Requests on one connection at a time, if the server allows as many; more go to another connection."""
LIMITS = Http2Limits(connection_window=MAX_CALLS * 65536)
_log = logging.getLogger("doorward.net")
_PING = b"alive?\r\n"


class Owner(Protocol):
    """Whoever keeps the connection."""

    def gone(self, connection: Http2Upstream) -> None:
        """It is closed, or about to be; it may be said twice."""


class Http2Upstream(EndingUpstream):
    """See the module."""

    __slots__ = ("_greeting", "_owner", "_touched", "_vigil")

    def __init__(self, owner: Owner) -> None:
        now = time.monotonic()
        super().__init__(ClientConnection(now, LIMITS), now)
        self._owner = owner
        self._greeting = Greeting()
        self._touched: list[Http2Call] = []
        """Those that got some of their response in this turn."""
        self._vigil = Vigil(now)

    def _is_gone(self) -> None:
        self._owner.gone(self)

    # --- what the pool calls ---

    async def greeted(self) -> None:
        """Wait until the server has shown that it speaks HTTP/2. Raises CannotConnect; nothing was asked so far."""
        await self._greeting.wait()
        if not self.has_room:
            raise CannotConnect("the server lets nobody ask anything")

    @property
    def has_room(self) -> bool:
        """It can take another call."""
        core = self.core
        return (
            not self._closed
            and not self._left
            and not core.retired
            and core.open_streams + self._reserved < min(core.peer.max_streams, MAX_CALLS)
        )

    def call(self) -> Http2Call:
        """A place for one request; ``has_room`` must be true."""
        self._reserved += 1
        return Http2Call(self, reused=self.core.has_asked)

    def sweep(self, now: float, idle_timeout: float, read_idle_timeout: float, ping_timeout: float) -> None:
        """Called about once a second with the monotonic time; the timeouts are in seconds, 0 for no ``read_idle``."""
        if self._closed:
            return
        if self.idle:
            if now - self._idle_since > idle_timeout:
                self.retire()
        elif not self._vigil.keep(now, read_idle_timeout, ping_timeout, self._ping):
            self.transport.abort()

    def _ping(self) -> None:
        self.core.ping(_PING)
        self.flush()

    # --- what the transport calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(IN_FLIGHT)
        if self._closed:
            self.transport.abort()
            return
        self._outlet.open(self.transport)

    def data_received(self, data: bytes) -> None:
        if self._closed:
            return
        now = time.monotonic()
        self._vigil.heard(now)
        self._outlet.busy = True
        try:
            for event in self.core.receive(data, now):
                try:
                    self._take(event)
                except Exception as error:  # noqa: BLE001 - one request's, and all others go on (S-922)
                    self._crash(event, error)
            touched, self._touched = self._touched, []
            for call in touched:
                call.flush()
        finally:
            self._outlet.busy = False
        self._outlet.write()

    def eof_received(self) -> bool | None:
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = self._outlet.shut = True
        self._owner.gone(self)
        self._greeting.ended(exc)
        self._fail_all(None)

    def pause_writing(self) -> None:
        self._outlet.paused = True

    def resume_writing(self) -> None:
        self._outlet.resume()

    # --- what arrives ---

    def _take(self, event: Event) -> None:
        if isinstance(event, DataReceived):
            call = self._calls.get(event.stream)
            if call is None:
                self.core.consume(event.stream, len(event.data))
            else:
                self._touched.append(call)
                call.take_data(event.data, event.ended)
        elif isinstance(event, ResponseReceived):
            call = self._calls.get(event.stream)
            if call is not None:
                self._touched.append(call)
                call.take_head(event.head, event.ended)
        elif isinstance(event, TrailersReceived):
            call = self._calls.get(event.stream)
            if call is not None:
                call.take_trailers(event.headers)
        elif isinstance(event, WindowOpened):
            self._outlet.pump()
        else:
            self._take_rare(event)

    def _take_rare(self, event: Event) -> None:
        if isinstance(event, StreamReset):
            call = self._calls.get(event.stream)
            if call is not None:
                self._end(call)
                call.fail(failure_of(event))
        elif isinstance(event, SettingsReceived):
            self._greeting.came()
        elif isinstance(event, GoawayReceived):
            self._leave()
        elif isinstance(event, ConnectionFailed):
            self._leave()
            self._greeting.failed(event.reason)
            self._fail_all(event.reason)
            self.transport.write(self.core.take())
            self._close()

    def _crash(self, event: Event, error: Exception) -> None:
        _log.error("upstream.crashed %s", type(error).__name__, exc_info=error)
        call = self._calls.get(getattr(event, "stream", 0))
        if call is not None:
            call.abandon()

    def _fail_all(self, reason: str | None) -> None:
        """No call can go on; ``reason``: what the server did wrong, None if the connection just ended."""
        calls, self._calls = self._calls, {}
        self._outlet.clear()
        for call in calls.values():
            call.fail(Lost(untouched=not call.begun) if reason is None else Garbage(reason))

    # --- what the calls call ---

    @property
    def full(self) -> bool:
        """The socket takes nothing: bodies wait."""
        return self._outlet.paused

    @property
    def usable(self) -> bool:
        """A call that was given out can still ask."""
        return not self._closed and self.core.can_open

    def release(self) -> None:
        """A call that was given out asks now, or never will."""
        self._reserved -= 1
        self._rest()

    def begin(self, call: Http2Call) -> None:
        """``call`` has sent its head, on ``call.id``."""
        self._calls[call.id] = call
        self.flush()

    def send_data(self, stream: int, data: bytes, last: bool) -> int:
        """Send as much of a body as the server has room for, and how much that was. ``last``: it ends with it."""
        return self._outlet.send_data(stream, data, last)

    def consume(self, stream: int, size: int) -> None:
        """Somebody took ``size`` bytes of the response on ``stream``."""
        self.core.consume(stream, size)
        self.flush()

    def wait(self, call: Http2Call) -> None:
        """``call`` has something to send when the server takes it."""
        self._outlet.wait(call)

    def ended(self, call: Http2Call) -> None:
        """The response of ``call`` is complete, or nobody wants it any more."""
        if call.id in self._calls:
            # What is left of it is wanted by nobody: a no-op if both sides have ended it.
            self.core.reset(call.id, ErrorCode.CANCEL)
            self._end(call)
            self.flush()

    def flush(self) -> None:
        """Something is to be written: at the end of this turn of the loop."""
        self._outlet.flush()
