"""One client's HTTP/1.1 connection: bytes become exchanges, one at a time, and their responses become bytes.

There is no timer per request: the entry point sweeps all connections once a second. How bodies come in
(``client_body``), how responses go out (``client_responses``), the shortcuts (``client_shortcuts``) and the endings
(``client_endings``, with the states) have files of their own.

A connection that turns out to be HTTP/2, by its handshake or by its first bytes, is given to ``Http2Connection``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from math import inf
from typing import TYPE_CHECKING, cast

from doorward.net.alpn import chose_http2
from doorward.net.arrival import Arrival
from doorward.proxy.client_endings import CLOSED, DRAINING, IN_FLIGHT, LINGERING, OPEN, RIDING, TUNNEL
from doorward.proxy.client_shortcuts import RidingConnection
from doorward.proxy.connection_facts import connection_facts
from doorward.proxy.exchange import Exchange
from doorward.proxy.express.fitness import is_plain
from doorward.proxy.http2_connection import Http2Connection
from doorward.proxy.http2_handshake import BEGINNING
from doorward.proxy.progress import Progress
from doorward.proxy.response_writer import ResponseWriter
from doorward.proxy.stall import Stall
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.request_reader import RequestReader
from doorward.wire.http1.write import BlockMemory

if TYPE_CHECKING:
    from doorward.proxy.entry_point import EntryPointServer

_log = logging.getLogger("doorward.proxy")


class ClientConnection(RidingConnection):
    """See the module."""

    __slots__ = ("_advancing", "_arrival")

    def __init__(self, entry: EntryPointServer, arrival: Arrival | None = None) -> None:
        """``arrival``: what was found out about the connection before; None for one that begins with its first
        request."""
        super().__init__(entry)
        self._arrival = arrival
        self._advancing = False

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
            self._state = CLOSED
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._dozing:
            self._wake()
        state = self._state
        if state is OPEN:
            if self._exchange is not None:
                self._reader.feed(data)
                self._take_body()
            elif self._reader.buffered or not (self._is_told(data) or self._rides(data)):
                self._reader.feed(data)
                self._advance()
        elif state is RIDING:
            self._reader.feed(data)
            self._adjust_reading()
        elif state is TUNNEL:
            assert self._tunnel is not None
            self._tunnel.client_data(data)
        elif state is DRAINING:
            self._reader.feed(data)
            self._drain()
        else:
            self._discard(len(data))

    def eof_received(self) -> bool | None:
        """The client is gone: half a connection cannot be told from none, so the transport closes (as Go does)."""
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave_lane()
        self._state = CLOSED
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

    # --- requests ---

    def _advance(self) -> None:
        """Take up requests as long as there are complete heads and nothing is under way. Never nested: a request
        that is answered at once must not deepen the stack for the pipelined one behind it."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._exchange is None and self._state is OPEN:
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
        self._state = CLOSED
        self._entry.let_go(self)
        successor = Http2Connection(self._entry, self._facts)
        self._transport.set_protocol(successor)
        successor.connection_made(self._transport)
        if beginning:
            successor.data_received(beginning)

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
        elif self._exchange is None and self._state is OPEN:
            self._doze()
        elif self._progress is not None and self._state is OPEN:
            self._check_body(self._progress, now)

    def leave(self) -> None:
        """The worker stops: a tunnel is told; the next response says it, too."""
        if self._tunnel is not None:
            self._tunnel.stop()

    def stop(self) -> None:
        """What is idle goes now; what is under way is the last, and so is a request that has begun to come in."""
        if self._state is OPEN and self._exchange is None and (self._dozing or not self._reader.buffered):
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
        if self._state is CLOSED:
            self._transport.abort()
        elif self._state is LINGERING:
            self._close()
        elif self._state is DRAINING:
            self._linger()
        elif not self._dozing and self._reader.buffered:
            self._reject(Rejected(408, "header_timeout"))
        else:
            self._close()
