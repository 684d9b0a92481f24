"""One client's HTTP/1.1 connection: bytes become exchanges, one at a time, and their responses become bytes.

The states of a connection, and what moves it between them:

    OPEN ──head that the express lane knows──► RIDING ──answered, or left to the ordinary way──► OPEN
    OPEN ──response complete, request body not──► DRAINING ──body complete──► OPEN
    OPEN ──101──► TUNNEL                 any ──refused, or must close──► LINGERING ──► closed

While an exchange runs, the bytes of a following request stay unread in the buffer and reading is paused: at most
one request is read ahead (S-050, CVE-2026-54273). There is no timer per request: the entry point sweeps all
connections once a second.

A connection that turns out to be HTTP/2, by its handshake or by its first bytes, is given to ``Http2Connection``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, cast

from doorward.messages.http import Header
from doorward.net.alpn import chose_http2
from doorward.net.arrival import Arrival
from doorward.proxy.answers import http_date, reason_phrase, rejection_answer
from doorward.proxy.connection_facts import connection_facts
from doorward.proxy.downstream import BodyReceiver, TunnelEnd
from doorward.proxy.exchange import Exchange
from doorward.proxy.express.lane import is_plain, mark_of
from doorward.proxy.express.ride import Ride
from doorward.proxy.http2_connection import Http2Connection
from doorward.proxy.http2_handshake import BEGINNING
from doorward.proxy.progress import Progress
from doorward.proxy.request import ConnectionFacts
from doorward.proxy.response_writer import ResponseWriter
from doorward.proxy.stall import Stall
from doorward.wire.http1.errors import Rejected, UnsafeField
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.request_reader import RequestReader
from doorward.wire.http1.write import BlockMemory, message_head

if TYPE_CHECKING:
    from doorward.proxy.entry_point import EntryPointServer

IN_FLIGHT = 65536
"""Bytes that are held for a side that is not ready, each way."""
DRAIN_TIME = 10.0
"""Seconds that an unwanted request body may take to end (S-032)."""
LINGER_TIME = 2.0
"""Seconds that a client has to read our last words before the connection goes: bytes that it still sends would
otherwise make the kernel throw them away."""

_log = logging.getLogger("doorward.proxy")


class _State(Enum):
    OPEN = 1
    DRAINING = 2
    LINGERING = 3
    TUNNEL = 4
    CLOSED = 5
    RIDING = 6


_OPEN, _DRAINING, _LINGERING = _State.OPEN, _State.DRAINING, _State.LINGERING
_TUNNEL, _CLOSED, _RIDING = _State.TUNNEL, _State.CLOSED, _State.RIDING


class ClientConnection(asyncio.Protocol):
    """A ``Downstream`` for the exchanges of one connection."""

    __slots__ = (
        "_advancing",
        "_arrival",
        "_asked",
        "_begun",
        "_continued",
        "_deadline",
        "_discarded",
        "_dozing",
        "_entry",
        "_exchange",
        "_facts",
        "_head_due",
        "_held",
        "_mark",
        "_old",
        "_paused",
        "_progress",
        "_reader",
        "_receiver",
        "_response",
        "_ride",
        "_stall",
        "_state",
        "_transport",
        "_tunnel",
        "forwarded",
        "head",
    )

    __deletable__ = ("_reader", "_response", "forwarded", "head")  # for the compiler
    head: RequestHead
    forwarded: BlockMemory
    _reader: RequestReader
    _response: ResponseWriter
    _transport: asyncio.Transport
    _facts: ConnectionFacts

    def __init__(self, entry: EntryPointServer, arrival: Arrival | None = None) -> None:
        """``arrival``: what was found out about the connection before; None for one that begins with its first
        request."""
        self._entry = entry
        self._arrival = arrival
        self._state = _OPEN
        self._exchange: Exchange | None = None
        self._receiver: BodyReceiver | None = None
        self._tunnel: TunnelEnd | None = None
        self._dozing = True
        """It does nothing, and has nothing of what it needs for doing something."""
        self._begun = False
        """It was HTTP/1 from its first byte on."""
        self._deadline = inf
        self._head_due = True
        """The deadline is that of a head; on a fresh connection it runs from the start."""
        self._progress: Progress | None = None
        """How the current request's body comes along; None when there is none to wait for."""
        self._stall: Stall | None = None
        self._advancing = False
        self._paused = False
        self._held = False
        self._continued = False
        self._discarded = 0
        self._old = entry.connection_age()
        self._ride: Ride | None = None
        self._mark = b""
        self._asked = b""
        """What the reader was given last, while it may be a question that the desk can learn."""

    @property
    def peer(self) -> str:
        return self._facts.peer

    # --- what the transport calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._facts = connection_facts(self._transport, self._arrival, self._entry.port)
        if self._arrival is not None:
            self._arrival.opened()
            self._arrival = None
            if chose_http2(transport):
                self._become_http2()
                return
        self._transport.set_write_buffer_limits(IN_FLIGHT)
        self._deadline = time.monotonic() + self._entry.entry_point.read_header_timeout
        if not self._entry.take_in(self):
            self._state = _CLOSED
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._dozing:
            self._wake()
        state = self._state
        if state is _OPEN:
            if self._exchange is not None:
                self._reader.feed(data)
                self._take_body()
            elif self._reader.buffered or not (self._is_told(data) or self._rides(data)):
                self._reader.feed(data)
                self._advance()
        elif state is _RIDING:
            self._reader.feed(data)
            self._adjust_reading()
        elif state is _TUNNEL:
            assert self._tunnel is not None
            self._tunnel.client_data(data)
        elif state is _DRAINING:
            self._reader.feed(data)
            self._drain()
        else:
            self._discard(len(data))

    def eof_received(self) -> bool | None:
        """The client is gone: half a connection cannot be told from none, so the transport closes (as Go does)."""
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave_lane()
        self._state = _CLOSED
        self._entry.let_go(self)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            if self._reader.body is not None:
                _log.info("http.incomplete peer=%s", self.peer)
            exchange.client_gone()

    def pause_writing(self) -> None:
        self._stall = Stall(self._transport)
        if self._tunnel is not None:
            self._tunnel.client_full()
        elif self._exchange is not None:
            self._exchange.client_full()

    def resume_writing(self) -> None:
        self._stall = None
        if self._tunnel is not None:
            self._tunnel.client_ready()
        elif self._exchange is not None:
            self._exchange.client_ready()

    # --- the express lane ---

    def _is_told(self, data: bytes) -> bool:
        """``data`` asks what the desk has an answer to."""
        if self._old is not None or self._entry.draining:
            return False
        told = self._entry.desk.answer(self._facts, self._mark or self._own_mark(), data)
        if told is None:
            self._asked = data
            return False
        self._begun = True
        self.head, message = told
        self._transport.write(message)
        self._head_due = False
        self._wait_for_next()
        return True

    def _own_mark(self) -> bytes:
        self._mark = mark_of(self._facts)
        return self._mark

    def _rides(self, data: bytes) -> bool:
        """``data``, with which a request begins, is taken by the express lane."""
        ride = self._ride
        if ride is None:
            if self._old is not None or self._entry.draining:
                return False
            ride = self._ride = Ride(self._entry.lane, self, self._facts, self._mark or self._own_mark())
        self._state = _RIDING
        if ride.begin(data):
            self._asked = b""
            self._begun = True
            self.head = ride.head
            self._head_due = False
            self._deadline = inf
            return True
        self._state = _OPEN
        return False

    @property
    def answered(self) -> bytes:
        return self._response.head

    @property
    def leaving(self) -> bool:
        return self._entry.draining

    def ride_over(self, head: bytes, body: bytes) -> None:
        self._transport.write(head + body)
        self._state = _OPEN
        self._wait_for_next()

    def ride_left(self, head: RequestHead, exchange: Exchange) -> None:
        self._state = _OPEN
        self.head = head
        self._continued = False
        self._exchange = exchange
        if self._stall is not None:
            exchange.client_full()

    def _leave_lane(self) -> None:
        if self._state is _RIDING and self._ride is not None:
            self._ride.leave()

    # --- requests ---

    def _advance(self) -> None:
        """Take up requests as long as there are complete heads and nothing is under way. Never nested: a request
        that is answered at once must not deepen the stack for the pipelined one behind it."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._exchange is None and self._state is _OPEN:
                head = self._reader.next_head()
                if head is None:
                    self._await_head()
                    break
                self._begin(head)
        except Rejected as rejected:
            if rejected.reason == "version" and self._is_http2():
                self._become_http2(BEGINNING + self._reader.take_rest())
            else:
                self._reject(rejected)
        finally:
            self._advancing = False
        self._adjust_reading()

    def _await_head(self) -> None:
        """The time for a head runs from its first byte; a byte more does not prolong it (S-901)."""
        if self._reader.buffered and not self._head_due:
            self._head_due = True
            self._deadline = time.monotonic() + self._entry.entry_point.read_header_timeout

    def _begin(self, head: RequestHead) -> None:
        asked, self._asked = self._asked, b""
        # What is remembered is this request's or nobody's: the next one may be another person's.
        unknown = b"" if self._ride is None else self._ride.take_unknown()
        self._begun = True
        self.head = head
        self._head_due = False
        self._deadline = inf
        self._continued = False
        if head.body_length != 0:
            self._progress = Progress(time.monotonic(), self._entry.request_timeout)
        if head.path == b"*":
            self.start_response(204, b"No Content", [], None)
            self.finish()
            return
        request = self._entry.admission.admit(head, self._facts)
        target = request.path if request.query is None else request.path + b"?" + request.query
        exchange = self._exchange = Exchange(self._entry.surroundings, self, request, target)
        exchange.begin()
        if exchange.lasting is not None and exchange.over and not self._response.closing and is_plain(head):
            self._entry.desk.learn(self._mark, asked, head, exchange, self.answered)
        elif self._ride is not None:
            self._ride.learn(unknown, head)

    def _is_http2(self) -> bool:
        """The connection began with HTTP/2's preface instead of a request; on TLS the handshake would have said so."""
        return self._reader.rejected == BEGINNING and not self._facts.tls and not self._begun

    def _become_http2(self, beginning: bytes = b"") -> None:
        """Somebody else goes on, with ``beginning`` and what comes after it."""
        self._state = _CLOSED
        self._entry.let_go(self)
        successor = Http2Connection(self._entry, self._facts)
        self._transport.set_protocol(successor)
        successor.connection_made(self._transport)
        if beginning:
            successor.data_received(beginning)

    def _reject(self, rejected: Rejected) -> None:
        """Say why, close, and never look at a further byte (S-031)."""
        _log.info("http.reject reason=%s peer=%s", rejected.reason, self.peer)
        self._receiver = None
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            started = exchange.started
            exchange.client_gone(rejected.status)
            if started:
                self._cut()
                return
        answer = rejection_answer(rejected.status, rejected.reason)
        headers = [
            *answer.headers,
            (b"Date", http_date()),
            (b"Content-Length", b"%d" % len(answer.body)),
            (b"Connection", b"close"),
        ]
        status_line = b"HTTP/1.1 %d %b" % (answer.status, reason_phrase(answer.status))
        self._transport.write(message_head(status_line, headers) + answer.body)
        self._linger()

    # --- the request's body ---

    def want_body(self, receiver: BodyReceiver) -> None:
        self._receiver = receiver
        self._take_body()

    def let_body_rest(self) -> None:
        """Not on a connection that can do nothing else meanwhile."""

    def invite_body(self) -> None:
        if self.head.expect_continue and not self._continued and not self._reader.buffered:
            self._continued = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def hold_body(self) -> None:
        self._held = True
        self._adjust_reading()

    def release_body(self) -> None:
        self._held = False
        self._adjust_reading()

    def _take_body(self) -> None:
        """Give what arrived to whoever wants it."""
        receiver = self._receiver
        if receiver is not None:
            try:
                data = self._reader.next_body()
            except Rejected as rejected:
                self._reject(rejected)
                return
            if data:
                self._count_body(len(data))
                receiver.body_data(data)
            if self._reader.body is None and self._receiver is receiver:
                self._receiver = None
                self._progress = None
                if self._reader.trailers:
                    receiver.body_trailers(self._reader.trailers)
                receiver.body_ended()
        self._adjust_reading()

    def _count_body(self, size: int) -> None:
        if self._progress is not None:
            self._progress.received += size
        if self._exchange is not None:
            self._exchange.account.received += size

    def _adjust_reading(self) -> None:
        """Read from the client only what somebody takes, or what fits into the window."""
        pause = self._held
        busy = self._exchange is not None or self._state is _RIDING
        if not pause and busy and self._receiver is None and self._tunnel is None:
            pause = self._reader.buffered > (0 if self._reader.body is None else IN_FLIGHT)
        if pause is not self._paused and self._state is not _CLOSED:
            self._paused = pause
            if pause:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    # --- the response ---

    def inform(self, status: int, reason: bytes, headers: list[Header]) -> None:
        if self.head.version != b"HTTP/1.1" or (status == 100 and not self.head.expect_continue):
            return
        try:
            self._transport.write(message_head(b"HTTP/1.1 %d %b" % (status, reason), headers))
        except UnsafeField:
            return
        if status == 100:
            self._continued = True

    def start_response(self, status: int, reason: bytes, headers: list[Header], length: int | None) -> None:
        stays = (
            self.head.keep_alive
            and not self._entry.draining
            and not (self._old is not None and self._old.after_this_request())
            and not (self._reader.body is not None and self._body_is_hopeless())
        )
        self._response.begin(self.head, status, reason, headers, length, stays)

    def send(self, data: bytes) -> None:
        if self._response.add(data) and self._exchange is not None:
            self._exchange.account.sent += len(data)

    def flush(self) -> None:
        self._response.flush(self._transport)

    def trail(self, trailers: tuple[Header, ...]) -> None:
        self._response.trail(trailers)

    def finish(self) -> None:
        self._response.end(self._transport)
        self._exchange = None
        self._receiver = None
        self._held = False
        if self._state is not _OPEN:
            return
        if self._response.closing:
            if self._reader.body is not None or self._reader.buffered:
                self._linger()
            else:
                self._close()
        elif self._reader.body is not None:
            self._state = _DRAINING
            self._discarded = 0
            self._deadline = time.monotonic() + DRAIN_TIME
            self._drain()
        else:
            self._wait_for_next()

    def _wait_for_next(self) -> None:
        self._progress = None
        if not self._reader.buffered:
            self._deadline = time.monotonic() + self._entry.entry_point.idle_timeout
            if self._paused:
                self._adjust_reading()
        else:
            self._advance()

    def abort(self) -> None:
        self._exchange = None
        self._cut()

    # --- endings ---

    def _body_is_hopeless(self) -> bool:
        """The rest of the request's body will not be waited for (S-032, S-033)."""
        body = self._reader.body
        if self.head.expect_continue and not self._continued and not self._reader.buffered:
            return self._progress is None or self._progress.received == 0
        return getattr(body, "left", 0) > IN_FLIGHT

    def _drain(self) -> None:
        """Let an unwanted body pass, as a body: its bytes are never taken for a request (S-032)."""
        try:
            self._discarded += len(self._reader.next_body())
        except Rejected as rejected:
            self._reject(rejected)
            return
        if self._reader.body is None:
            self._state = _OPEN
            self._wait_for_next()
        elif self._discarded > IN_FLIGHT:
            self._linger()
        else:
            self._adjust_reading()

    def _close(self) -> None:
        """Close once everything written has gone out; the sweep sees to it that this ends."""
        self._state = _CLOSED
        self._deadline = time.monotonic() + self._entry.entry_point.write_timeout
        self._transport.close()

    def _linger(self) -> None:
        """Close so that the client can read our last words even if it is still sending."""
        self._state = _LINGERING
        self._discarded = 0
        self._deadline = time.monotonic() + LINGER_TIME
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
        if self._discarded > IN_FLIGHT and self._state is _LINGERING:
            self._close()

    def _cut(self) -> None:
        self._state = _CLOSED
        if not self._dozing:
            self._response.drop()
        self._transport.abort()

    # --- a tunnel instead of HTTP ---

    def start_tunnel(self, headers: list[Header], end: TunnelEnd) -> bytes:
        self._transport.write(message_head(b"HTTP/1.1 101 Switching Protocols", headers))
        self._state = _TUNNEL
        self._tunnel = end
        rest = self._reader.take_rest()
        self._adjust_reading()
        return rest

    def tunnel_send(self, data: bytes) -> None:
        self._transport.write(data)

    def tunnel_close(self) -> None:
        self._exchange = None
        self._tunnel = None
        if self._state is _TUNNEL:
            self._close()

    def tunnel_hold(self) -> None:
        self.hold_body()

    def tunnel_release(self) -> None:
        self.release_body()

    # --- sleep ---

    def _doze(self) -> None:
        """Let go what a busy connection needs: ten thousand idle ones must not each keep it."""
        if not self._dozing and not self._reader.buffered:
            self._dozing = True
            self._ride = None
            self._mark = b""
            del self._reader, self._response, self.forwarded
            if hasattr(self, "head"):
                del self.head

    def _wake(self) -> None:
        self._dozing = False
        self._reader = RequestReader(self._entry.limits, self._facts.tls)
        self._response = ResponseWriter()
        self.forwarded = BlockMemory()

    # --- time ---

    def sweep(self, now: float) -> None:
        """Called about once a second with the monotonic time."""
        if self._stall is not None and self._stall.lasts(now, self._entry.entry_point.write_timeout):
            self._give_up()
        elif self._tunnel is not None:
            self._tunnel.sweep(now)
        elif now >= self._deadline:
            self._expire()
        elif self._exchange is None and self._state is _OPEN:
            self._doze()
        elif self._progress is not None and self._state is _OPEN:
            self._check_body(self._progress, now)

    def leave(self) -> None:
        """The worker stops: a tunnel is told; the next response says it, too."""
        if self._tunnel is not None:
            self._tunnel.stop()

    def stop(self) -> None:
        """What is idle goes now; what is under way is the last, and so is a request that has begun to come in."""
        if self._state is _OPEN and self._exchange is None and (self._dozing or not self._reader.buffered):
            self._close()

    def cut(self) -> None:
        """The grace is over."""
        self._give_up()

    def _give_up(self) -> None:
        self._leave_lane()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.client_gone()
        self._cut()

    def _expire(self) -> None:
        if self._state is _CLOSED:
            self._transport.abort()
        elif self._state is _LINGERING:
            self._close()
        elif self._state is _DRAINING:
            self._linger()
        elif not self._dozing and self._reader.buffered:
            self._reject(Rejected(408, "header_timeout"))
        else:
            self._close()

    def _check_body(self, progress: Progress, now: float) -> None:
        # Only the client's own slowness counts: not while we do not read, nor while it waits for our 100 Continue.
        waits_for_us = self._paused or self._receiver is None or (self.head.expect_continue and not progress.received)
        if progress.too_slow(now, waits_for_us):
            self._reject(Rejected(408, "body_timeout"))
