"""One request on an HTTP/2 connection: the ``Downstream`` of its exchange.

Two places where bytes wait, each bounded by making the other side wait. What the client sends and nobody takes stays
here and keeps the stream's window shut (64 KiB). What the client does not take, because its window is shut or its
socket full, stays here and makes the server wait.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from doorward.messages.http import Header
from doorward.proxy.answers import http_date, reason_phrase, rejection_answer
from doorward.proxy.downstream import BodyReceiver, TunnelEnd
from doorward.proxy.exchange import Exchange
from doorward.proxy.express.ride import Ride
from doorward.proxy.progress import Progress
from doorward.wire.http1.errors import Rejected, UnsafeField
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.write import BlockMemory
from doorward.wire.http2 import ErrorCode

if TYPE_CHECKING:
    from doorward.proxy.http2_connection import Http2Connection

_FRAMING = frozenset((b"content-length", b"trailer"))
"""Written by us; the other fields that concern a connection are left out by whoever writes the head."""
_HANDSHAKE = frozenset((b"sec-websocket-accept", b"connection", b"upgrade"))
"""Of an HTTP/1 handshake only: RFC 8441 section 5.1."""


class Http2Stream:
    """See the module."""

    __slots__ = (
        "_arrived",
        "_bodiless",
        "_connection",
        "_continued",
        "_end_sent",
        "_ended",
        "_exchange",
        "_finished",
        "_full",
        "_held",
        "_left",
        "_offset",
        "_progress",
        "_receiver",
        "_request_trailers",
        "_ride",
        "_trailers",
        "_tunnel",
        "_waiting",
        "answered",
        "forwarded",
        "head",
        "id",
    )

    forwarded: BlockMemory

    def __init__(self, connection: Http2Connection, stream_id: int, head: RequestHead, ended: bool) -> None:
        """``ended``: the request has no body."""
        self._connection = connection
        self.id = stream_id
        self.head = head
        self.forwarded = connection.forwarded
        self._exchange: Exchange | None = None
        self._receiver: BodyReceiver | None = None
        self._tunnel: TunnelEnd | None = None
        self._arrived: deque[bytes] = deque()
        """What the client sent and nobody took."""
        self._ended = ended
        """The client has ended its side."""
        self._held = False
        self._continued = False
        self._progress = None if ended or head.websocket else Progress(time.monotonic(), connection.request_timeout)
        self._waiting: deque[bytes] = deque()
        """What the client is still to be sent, from ``_offset`` in the first piece on."""
        self._offset = 0
        self._full = False
        """The server was told to wait."""
        self._bodiless = False
        self._left: int | None = None
        """Bytes of the response's body that were not given to us yet, if its length is known."""
        self._finished = False
        """The response is complete as far as the exchange is concerned."""
        self._end_sent = False
        self._request_trailers: tuple[Header, ...] = ()
        self._trailers: tuple[Header, ...] = ()
        """Fields that are to follow the response's body."""
        self._ride: Ride | None = None
        """What the request is on while it is on the express lane."""
        self.answered = b""

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

    @property
    def waiting(self) -> bool:
        """The client is still to be sent something."""
        return bool(self._waiting)

    def push(self, most: int) -> int:
        """Send up to ``most`` bytes of what waits, and how many that were."""
        if not self._waiting:
            return 0
        first = self._waiting[0]
        piece = first[self._offset : self._offset + most]
        self._offset += len(piece)
        whole = self._offset == len(first)
        last = whole and len(self._waiting) == 1 and (self._left == 0 or (self._finished and not self._trailers))
        sent = self._connection.send_data(self.id, piece, last)
        if sent < len(piece) or (not piece and self._connection.core.blocked(self.id)):
            self._offset -= len(piece) - sent
        elif whole:
            self._waiting.popleft()
            self._offset = 0
            self._end_sent = last
            if not self._waiting:
                self._emptied()
        return sent

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

    # --- the response ---

    def inform(self, status: int, reason: bytes, headers: list[Header]) -> None:
        if status == 101 or (status == 100 and not self.head.expect_continue):
            return
        try:
            self._connection.core.inform(self.id, status, _without(headers, _FRAMING))
        except UnsafeField:
            return
        if status == 100:
            self._continued = True
        self._connection.flush()

    def start_response(self, status: int, reason: bytes, headers: list[Header], length: int | None) -> None:
        if self.head.websocket and 200 <= status < 300:
            # To this client a 2xx would mean that it talks to a WebSocket now (RFC 8441 section 5).
            status = 502
        bodiless = self.head.method == b"HEAD" or status == 304 or status == 204
        fields = _without(headers, _FRAMING)
        if not any(header[0].lower() == b"date" for header in fields):
            fields.append((b"date", http_date()))
        if length is not None and status != 204:
            fields.append((b"content-length", b"%d" % length))
        ended = bodiless or length == 0
        self.answered = self._connection.core.respond(self.id, status, fields, ended)
        self._bodiless = bodiless
        # Whoever asks for trailers is not told that the body has ended before it is known that there are none.
        self._left = None if self.head.wants_trailers else length
        self._end_sent = ended

    def send(self, data: bytes) -> None:
        if self._bodiless or not data:
            return
        if self._exchange is not None:
            self._exchange.account.sent += len(data)
        if self._progress is not None:
            self._progress.sent += len(data)
        if self._left is not None:
            self._left -= len(data)
        self._send(data, self._left == 0)

    def _send(self, data: bytes, last: bool) -> None:
        if not self._waiting and not self._connection.full:
            sent = self._connection.send_data(self.id, data, last)
            if sent == len(data):
                self._end_sent = last
                return
            self._offset = sent
        self._waiting.append(data)
        self._connection.wait(self)
        if not self._full:
            self._full = True
            if self._tunnel is not None:
                self._tunnel.client_full()
            elif self._exchange is not None:
                self._exchange.client_full()

    def _emptied(self) -> None:
        if self._finished:
            self._end()
        elif self._full:
            self._full = False
            if self._tunnel is not None:
                self._tunnel.client_ready()
            elif self._exchange is not None:
                self._exchange.client_ready()

    def flush(self) -> None:
        self._connection.flush()

    def trail(self, trailers: tuple[Header, ...]) -> None:
        if not self._end_sent and self._left != 0:
            self._trailers = trailers

    def finish(self) -> None:
        self._exchange = None
        self._receiver = None
        self._tunnel = None
        self._progress = None
        self._finished = True
        if not self._waiting:
            self._end()

    def _end(self) -> None:
        if self._trailers and not self._end_sent:
            self._end_sent = True
            self._connection.core.send_trailers(self.id, self._trailers)
        if not self._end_sent:
            self._connection.send_data(self.id, b"", True)
            if self._connection.core.blocked(self.id):
                # The client has taken back more window than it had left: even the end has to wait.
                self._waiting.append(b"")
                self._connection.wait(self)
                return
            self._end_sent = True
        self._connection.over(self)

    def abort(self) -> None:
        self._exchange = None
        self._tunnel = None
        self._receiver = None
        self._waiting.clear()
        self._connection.core.reset(self.id, ErrorCode.INTERNAL_ERROR)
        self._connection.over(self)

    # --- a WebSocket ---

    def start_tunnel(self, headers: list[Header], end: TunnelEnd) -> bytes:
        self._connection.core.respond(self.id, 200, _without(headers, _HANDSHAKE))
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


def _without(headers: list[Header], names: frozenset[bytes]) -> list[Header]:
    return [header for header in headers if header[0].lower() not in names]
