"""One request on an HTTP/2 connection: the ``Downstream`` of its exchange.

What the client sends and nobody takes stays here and keeps the stream's window shut (64 KiB): so each of the two places
where bytes wait, this one and that of the response (``http2_response``), is bounded by making the other side wait.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from doorward.messages.http import Header
from doorward.proxy.answers import reason_phrase, rejection_answer
from doorward.proxy.downstream import BodyReceiver, TunnelEnd
from doorward.proxy.exchange import Exchange
from doorward.proxy.express.ride import Ride
from doorward.proxy.http2_response import AnsweringStream, without
from doorward.proxy.progress import Progress
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.write import BlockMemory

if TYPE_CHECKING:
    from doorward.proxy.http2_connection import Http2Connection

_HANDSHAKE = frozenset((b"sec-websocket-accept", b"connection", b"upgrade"))
"""Of an HTTP/1 handshake only: RFC 8441 section 5.1."""


class Http2Stream(AnsweringStream):
    """See the module."""

    __slots__ = ("_arrived", "_ended", "_held", "_request_trailers", "_ride", "forwarded")

    forwarded: BlockMemory

    def __init__(self, connection: Http2Connection, stream_id: int, head: RequestHead, ended: bool) -> None:
        """``ended``: the request has no body."""
        super().__init__(connection, stream_id, head)
        self.forwarded = connection.forwarded
        self._arrived: deque[bytes] = deque()
        """What the client sent and nobody took."""
        self._ended = ended
        """The client has ended its side."""
        self._held = False
        if not ended and not head.websocket:
            self._progress = Progress(time.monotonic(), connection.request_timeout)
        self._request_trailers: tuple[Header, ...] = ()
        self._ride: Ride | None = None
        """What the request is on while it is on the express lane."""

    # --- the express lane ---

    def rides(self, ride: Ride) -> bool:
        """``ride`` takes the request."""
        self._ride = ride
        if ride.begin_head(self.head, self._connection.errands):
            return True
        self._ride = None
        return False

    @property
    def leaving(self) -> bool:
        """Nothing about the connection is said in a response."""
        return False

    def ride_over(self, head: bytes, body: bytes) -> None:
        self._ride = None
        self._connection.core.respond_again(self.id, head, not body)
        self._left = 0
        self._end_sent = not body
        if body:
            self._send(body, True)
        self.finish()

    def ride_left(self, head: RequestHead, exchange: Exchange) -> None:
        self._ride = None
        self._exchange = exchange

    # --- what the connection calls ---

    def begin(self, exchange: Exchange) -> None:
        self._exchange = exchange
        exchange.begin()

    def take(self, data: bytes, ended: bool) -> None:
        """The client sent ``data`` (empty only at the end)."""
        self._ended = ended
        if data:
            if self._progress is not None:
                self._progress.received += len(data)
            self._arrived.append(data)
        self._deliver()

    def take_trailers(self, trailers: tuple[Header, ...]) -> None:
        """The client ended the body with ``trailers``."""
        self._request_trailers = trailers
        self.take(b"", True)

    def gone(self, status: int | None = None) -> None:
        """The stream does not exist any more; ``status`` is for the log, if it was the client's fault."""
        self._finished = True
        self._waiting.clear()
        self._receiver = None
        self._tunnel = None
        if self._ride is not None:
            self._ride.leave()
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        if status is None:
            exchange.client_gone()
        else:
            exchange.client_gone(status)

    def refuse(self, rejected: Rejected) -> None:
        """Say why, if nothing was said yet (S-031)."""
        exchange, self._exchange = self._exchange, None
        self._receiver = None
        if exchange is not None:
            started = exchange.started
            exchange.client_gone(rejected.status)
            if started:
                self.abort()
                return
        answer = rejection_answer(rejected.status, rejected.reason)
        self.start_response(answer.status, reason_phrase(answer.status), list(answer.headers), len(answer.body))
        self.send(answer.body)
        self.finish()

    def sweep(self, now: float, unfinished: int) -> None:
        """Called about once a second. ``unfinished``: bytes of a frame that is not complete, maybe ours."""
        progress = self._progress
        if self._tunnel is not None:
            self._tunnel.sweep(now)
        elif progress is not None and not self._ended:
            waits_for_us = self._receiver is None or self._held or bool(self._arrived)
            waits_for_us = waits_for_us or (self.head.expect_continue and not progress.received)
            progress.received += unfinished
            slow = progress.too_slow(now, waits_for_us)
            progress.received -= unfinished
            if slow:
                self._connection.note(Rejected(408, "body_timeout"))
                self.refuse(Rejected(408, "body_timeout"))

    def stop(self) -> None:
        """The worker stops."""
        if self._tunnel is not None:
            self._tunnel.stop()

    # --- the request's body ---

    def want_body(self, receiver: BodyReceiver) -> None:
        self._receiver = receiver
        self._deliver()

    def let_body_rest(self) -> None:
        if self._progress is not None:
            self._progress.let_rest()

    def invite_body(self) -> None:
        if self.head.expect_continue and not self._continued and not self._arrived and not self._ended:
            self._continued = True
            self._connection.core.inform(self.id, 100, ())
            self._connection.flush()

    def hold_body(self) -> None:
        self._held = True

    def release_body(self) -> None:
        self._held = False
        self._deliver()

    def _deliver(self) -> None:
        """Give what arrived to whoever wants it; as much more may come."""
        while self._arrived and not self._held:
            data = self._arrived[0]
            if self._tunnel is not None:
                self._arrived.popleft()
                self._tunnel.client_data(data)
            elif self._receiver is not None:
                self._arrived.popleft()
                if self._exchange is not None:
                    self._exchange.account.received += len(data)
                self._receiver.body_data(data)
            else:
                return
            self._connection.consume(self.id, len(data))
        if not self._ended or self._arrived:
            return
        receiver, self._receiver = self._receiver, None
        if self._tunnel is not None:
            self._leave_tunnel()
        elif receiver is not None:
            self._progress = None
            if self._request_trailers:
                receiver.body_trailers(self._request_trailers)
            receiver.body_ended()

    # --- a WebSocket ---

    def start_tunnel(self, headers: list[Header], end: TunnelEnd) -> bytes:
        self._connection.core.respond(self.id, 200, without(headers, _HANDSHAKE))
        self._connection.flush()
        self._tunnel = end
        arrived = b"".join(self._arrived)
        self._arrived.clear()
        self._connection.consume(self.id, len(arrived))
        if self._ended:
            asyncio.get_running_loop().call_soon(self._deliver)
        return arrived

    def tunnel_send(self, data: bytes) -> None:
        if not self._finished:
            self._send(data, False)
            self._connection.flush()

    def tunnel_close(self) -> None:
        if not self._finished:
            self.finish()

    def tunnel_hold(self) -> None:
        self.hold_body()

    def tunnel_release(self) -> None:
        self.release_body()

    def _leave_tunnel(self) -> None:
        """The client has ended its side: half a WebSocket is none."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.client_gone()
        self.finish()
