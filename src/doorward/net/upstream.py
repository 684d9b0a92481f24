"""One connection to a server: sends a request, delivers the response to whoever asked, goes back to its pool.

``Receiver`` is whoever asked. The connection belongs to it from ``ask`` until ``response_ended`` or
``response_failed``, and is reused only when the request was sent completely and the response ended exactly where it
said it would.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, cast

from doorward.messages.http import Header
from doorward.wire.http1.errors import BadResponse
from doorward.wire.http1.response import ReceivedHead
from doorward.wire.http1.response_reader import ResponseReader

if TYPE_CHECKING:
    from doorward.net.pool import Pool

WRITE_BUFFER = 65536
"""Bytes in flight towards a server before the sender is told to wait."""


class UpstreamError(Exception):
    """A server that we asked did not answer properly."""


class CannotConnect(UpstreamError):
    """Refused, reset, no such name, no such socket."""


class ConnectTimeout(UpstreamError):
    """Nobody answered within the dial timeout."""


class Untrusted(UpstreamError):
    """The server's certificate is not trusted, or TLS failed."""


class Lost(UpstreamError):
    """The connection ended before the response did. ``untouched``: before its first byte."""

    def __init__(self, untouched: bool) -> None:
        super().__init__("connection lost")
        self.untouched = untouched


class Refused(UpstreamError):
    """The server said that it has not looked at the request: nothing has happened by it."""


class Garbage(UpstreamError):
    """The server sent something that is no HTTP response."""


class Receiver(Protocol):
    """Whoever waits for a response. After ``response_ended`` or ``response_failed`` nothing more is called."""

    def response_started(self, head: ReceivedHead) -> None:
        """An interim (1xx) or the final head."""

    def response_data(self, data: bytes) -> None:
        """The next part of the body; never empty."""

    def response_flush(self) -> None:
        """Nothing more is there at the moment."""

    def response_trailers(self, trailers: tuple[Header, ...]) -> None:
        """Fields after the body, those that may be there; ``response_ended`` follows at once. Mostly there are none."""

    def response_ended(self) -> None:
        """The response is complete; the connection is no longer the receiver's."""

    def response_failed(self, error: UpstreamError) -> None:
        """It will not become complete; the connection is gone."""

    def upstream_full(self) -> None:
        """Send no more of the request for now."""

    def upstream_ready(self) -> None:
        """Go on sending."""


class WholeReceiver(Receiver, Protocol):
    """Whoever would rather have the response in one."""

    def response_whole(self, head: ReceivedHead, body: bytes) -> None:
        """The complete response, instead of everything else; the connection is no longer the receiver's."""


class UpstreamConnection(asyncio.Protocol):
    """See the module."""

    __slots__ = (
        "_eof",
        "_keep_alive",
        "_made",
        "_paused",
        "_pool",
        "_reader",
        "_receiver",
        "_switched",
        "_whole_receiver",
        "idle_since",
        "request_done",
        "reused",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._reader = ResponseReader(memory=pool.heads)
        self._receiver: Receiver | None = None
        self._whole_receiver: WholeReceiver | None = None
        self._keep_alive = True
        self._switched = False
        self._eof = False
        self._made = False
        self._paused = False
        self.reused = False
        """It has been idle in its pool: it may have died while nobody looked."""
        self.request_done = False
        """The whole request has been handed over."""
        self.idle_since = 0.0

    # --- what the asker calls ---

    def ask(self, receiver: Receiver, method: bytes, head: bytes, complete: bool) -> None:
        """Send a request head (and what ``head`` has of the body); ``complete``: there is no more of it."""
        self._receiver = receiver
        self._keep_alive = True
        self.request_done = complete
        self._reader.expect(method)
        self.transport.write(head)

    def ask_plainly(self, receiver: WholeReceiver, head: bytes) -> None:
        """Send a GET without a body. The response comes in one if it arrives so and one like it was seen before."""
        self._receiver = self._whole_receiver = receiver
        self._keep_alive = self.request_done = True
        self._reader.expect(b"GET")
        self.transport.write(head)

    def hand_to(self, receiver: Receiver) -> None:
        """Somebody else waits for the response from now on."""
        self._whole_receiver = None
        self._receiver = receiver

    def send(self, data: bytes) -> None:
        self.transport.write(data)

    def finish_request(self) -> None:
        """The request's body is complete."""
        self.request_done = True

    def release(self) -> None:
        """Nothing will be asked after all: somebody else may have it."""
        self._pool.give_back(self)

    def abandon(self) -> None:
        """Whoever asked has gone: the response must not reach anybody, so the connection dies with it (S-036)."""
        self._receiver = None
        self.transport.abort()

    def drop(self) -> None:
        """Nobody will use it; it may not even stand."""
        if self._made:
            self.transport.abort()

    def hang_up(self) -> None:
        """Close after what was sent has gone out; nothing more is wanted."""
        self._receiver = None
        self.transport.close()

    def pause(self) -> None:
        """Read no more for now: whoever takes the response is slow."""
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self.transport.resume_reading()

    def switch(self, receiver: Receiver) -> bytes:
        """Stop reading HTTP (after a 101): later bytes go to ``receiver`` as they are. Returns what came already."""
        self._switched = True
        self._receiver = receiver
        return self._reader.take_rest()

    # --- what the transport calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._made = True
        self.transport.set_write_buffer_limits(WRITE_BUFFER)

    def data_received(self, data: bytes) -> None:
        receiver = self._receiver
        if receiver is None:
            # Nobody asked: a server that speaks first is out of step, its next answer would be somebody else's.
            self.transport.abort()
            return
        if self._switched:
            receiver.response_data(data)
            return
        if self._whole_receiver is not None and self._delivers_whole(self._whole_receiver, data):
            return
        self._reader.feed(data)
        try:
            self._deliver(receiver)
        except BadResponse as error:
            self._fail(Garbage(error.reason))

    def eof_received(self) -> bool | None:
        self._eof = True
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        receiver = self._receiver
        if receiver is None:
            self._pool.forget(self)
            return
        if self._switched:
            self._receiver = None
            receiver.response_ended()
            return
        reader = self._reader
        untouched = not reader.started and not reader.head_seen
        try:
            if not self._eof:
                raise BadResponse("reset")
            reader.end()
        except BadResponse:
            self._receiver = None
            receiver.response_failed(Lost(untouched))
        else:
            self._receiver = None
            receiver.response_ended()

    def pause_writing(self) -> None:
        if self._receiver is not None:
            self._receiver.upstream_full()

    def resume_writing(self) -> None:
        if self._receiver is not None:
            self._receiver.upstream_ready()

    # --- within ---

    def _delivers_whole(self, receiver: WholeReceiver, data: bytes) -> bool:
        self._whole_receiver = None
        whole = self._reader.whole(data)
        if whole is None:
            return False
        head, body = whole
        self._receiver = None
        if head.keep_alive:
            self._pool.give_back(self)
        else:
            self.transport.abort()
        receiver.response_whole(head, body)
        return True

    def _deliver(self, receiver: Receiver) -> None:
        reader = self._reader
        while not reader.head_seen:
            head = reader.next_head()
            if head is None:
                return
            self._keep_alive = head.keep_alive
            receiver.response_started(head)
            if self._receiver is not receiver:
                if self._receiver is None or self._switched:
                    return
                receiver = self._receiver
        data = reader.next_body()
        if data:
            receiver.response_data(data)
            if self._receiver is not receiver:
                return
        if reader.complete:
            if reader.trailers:
                receiver.response_trailers(reader.trailers)
            self._end(receiver)
        else:
            receiver.response_flush()

    def _end(self, receiver: Receiver) -> None:
        self._receiver = None
        if self._keep_alive and self.request_done and not self._reader.surplus:
            self.resume()
            self._pool.give_back(self)
        else:
            self.transport.abort()
        receiver.response_ended()

    def _fail(self, error: UpstreamError) -> None:
        receiver, self._receiver = self._receiver, None
        self.transport.abort()
        if receiver is not None:
            receiver.response_failed(error)
