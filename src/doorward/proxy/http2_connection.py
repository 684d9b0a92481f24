"""One client's HTTP/2 connection: frames become exchanges, any number at a time, and their responses become frames
(``http2_outgoing``).

A connection ends by GOAWAY: in two steps when the worker stops (S-923), with ENHANCE_YOUR_CALM when the client floods
it (S-904 to S-907). There is no timer per request: the entry point sweeps all connections once a second.
"""

from __future__ import annotations

import asyncio
import logging
import time
from math import inf
from typing import TYPE_CHECKING, cast

from doorward.messages.http import Header
from doorward.proxy.answers import http_date, rejection_answer
from doorward.proxy.exchange import Exchange
from doorward.proxy.express.errand import HeadErrands
from doorward.proxy.express.fitness import mark_of
from doorward.proxy.express.ride import Ride
from doorward.proxy.http2_handshake import with_key
from doorward.proxy.http2_outgoing import IN_FLIGHT, OutgoingConnection
from doorward.proxy.http2_stream import Http2Stream
from doorward.proxy.request import ConnectionFacts
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.write import BlockMemory
from doorward.wire.http2 import (
    ConnectionFailed,
    DataReceived,
    ErrorCode,
    Event,
    GoawayReceived,
    RequestReceived,
    RequestRefused,
    ServerConnection,
    StreamReset,
    TrailersReceived,
    WindowOpened,
)

if TYPE_CHECKING:
    from doorward.proxy.entry_point import EntryPointServer

_log = logging.getLogger("doorward.proxy")


class Http2Connection(OutgoingConnection):
    """See the module."""

    __slots__ = (
        "_facts",
        "_leaving",
        "_mark",
        "_old",
        "_partial",
        "_unfinished_since",
        "errands",
        "forwarded",
    )

    def __init__(self, entry: EntryPointServer, facts: ConnectionFacts) -> None:
        now = time.monotonic()
        super().__init__(entry, ServerConnection(now, facts.tls, message_limits=entry.limits))
        self._facts = facts
        self._mark = mark_of(facts)
        self.forwarded = BlockMemory()
        """What was last sent on, for all streams of the client."""
        self.errands = HeadErrands()
        self._unfinished_since = now
        self._partial = 0
        """Bytes that came since the last complete frame that mattered."""
        self._leaving = False
        """No more streams are wanted."""
        self._old = entry.connection_age()

    @property
    def peer(self) -> str:
        return self._facts.peer

    # --- what the transport calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(IN_FLIGHT)
        if not self._entry.take_in(self):
            self._closed = True
            self._transport.abort()
            return
        self._await_request()
        self._write()
        if self._entry.draining:
            self.leave()

    def data_received(self, data: bytes) -> None:
        if self._lingering or self._closed:
            self._discard(len(data))
            return
        now = time.monotonic()
        self._busy = True
        try:
            events = self.core.receive(data, now)
            if events:
                self._partial = 0
                self._unfinished_since = now
                self._take(events)
            else:
                self._partial += len(data)
        finally:
            self._busy = False
        self._write()

    def eof_received(self) -> bool | None:
        """The client is gone: half a connection is none."""
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        self._entry.let_go(self)
        self._end_streams()

    # --- what arrives ---

    def _take(self, events: list[Event]) -> None:
        if isinstance(events[-1], ConnectionFailed):
            self._fail(events[-1])
            return
        # A request that is taken back in the same breath need not be begun (S-904).
        taken_back = {event.stream for event in events if isinstance(event, StreamReset)}
        opened = False
        for event in events:
            if isinstance(event, RequestReceived):
                if event.stream not in taken_back:
                    self._begin(event)
            elif isinstance(event, DataReceived):
                stream = self._streams.get(event.stream)
                if stream is not None:
                    stream.take(event.data, event.ended)
                else:
                    self.core.consume(event.stream, len(event.data))
            elif isinstance(event, WindowOpened):
                opened = True
            elif isinstance(event, TrailersReceived):
                stream = self._streams.get(event.stream)
                if stream is not None:
                    stream.take_trailers(event.headers)
            else:
                self._take_rare(event)
        if opened and self._waiting:
            self._pump()

    def _take_rare(self, event: Event) -> None:
        if isinstance(event, StreamReset):
            self._take_reset(event)
        elif isinstance(event, RequestRefused):
            self.note(event.rejected)
            self._answer(event.stream, event.rejected)
        elif isinstance(event, GoawayReceived):
            self._client_left = True

    def _begin(self, event: RequestReceived) -> None:
        stream_id, head = event.stream, event.head
        if head.path == b"*":
            self.core.respond(stream_id, 204, ((b"date", http_date()),), True)
            return
        if head.websocket:
            head = with_key(head)
        self._deadline = inf
        stream = self._streams[stream_id] = Http2Stream(self, stream_id, head, event.ended)
        if self._old is not None and self._old.after_this_request():
            self._say_goodbye()
        ride = Ride(self._entry.lane, stream, self._facts, self._mark) if event.ended else None
        if ride is not None and stream.rides(ride):
            return
        try:
            request = self._entry.admission.admit(head, self._facts)
        except Rejected as rejected:
            del self._streams[stream_id]
            self.note(rejected)
            self._answer(stream_id, rejected)
            self._await_request()
            return
        target = request.path if request.query is None else request.path + b"?" + request.query
        stream.begin(Exchange(self._entry.surroundings, stream, request, target))
        if ride is not None:
            ride.learn(ride.take_unknown(), head)

    def _answer(self, stream_id: int, rejected: Rejected) -> None:
        """A request that goes nowhere gets its status; the other streams go on."""
        answer = rejection_answer(rejected.status, rejected.reason)
        fields: list[Header] = [*answer.headers, (b"date", http_date()), (b"content-length", b"%d" % len(answer.body))]
        self.core.respond(stream_id, answer.status, fields)
        if self.core.send_data(stream_id, answer.body, True) < len(answer.body):
            # The client has no room for two lines of text.
            self.core.reset(stream_id, ErrorCode.CANCEL)

    def _take_reset(self, event: StreamReset) -> None:
        stream = self._streams.pop(event.stream, None)
        self._waiting.pop(event.stream, None)
        if event.reason:
            _log.info("http2.reset reason=%s peer=%s", event.reason, self.peer)
        if stream is not None:
            stream.gone(None if event.by_peer or event.reason == "stalled" else 400)
            self._await_request()

    def _fail(self, failure: ConnectionFailed) -> None:
        """The client broke the protocol or a limit: it is told, and nothing else happens any more."""
        _log.info("http2.failed reason=%s peer=%s", failure.reason, self.peer)
        self._end_streams()
        self._linger()

    # --- what the streams call ---

    @property
    def request_timeout(self) -> float:
        """Seconds that a request may take to come in."""
        return self._entry.request_timeout

    def note(self, rejected: Rejected) -> None:
        _log.info("http.reject reason=%s peer=%s", rejected.reason, self.peer)

    # --- time ---

    def sweep(self, now: float) -> None:
        """Called about once a second with the monotonic time."""
        if self._stall is not None and self._stall.lasts(now, self._entry.entry_point.write_timeout):
            self.cut()
        elif self._closed or self._lingering:
            if now >= self._deadline:
                self._transport.abort() if self._closed else self._close()
        elif now >= self._deadline:
            self.core.fail(ErrorCode.NO_ERROR)
            self._linger()
        elif self._head_is_late(now):
            self.note(Rejected(408, "header_timeout"))
            self.core.fail(ErrorCode.ENHANCE_YOUR_CALM)
            self._end_streams()
            self._linger()
        else:
            self._sweep_streams(now)

    def _sweep_streams(self, now: float) -> None:
        for event in self.core.sweep(now):
            self._take_rare(event)
        for stream in list(self._streams.values()):
            stream.sweep(now, self._partial)
        if not self._streams:
            # Ten thousand idle connections must not each keep what makes busy ones fast.
            self.forwarded.forget()
            self.errands.forget()
            if self._leaving:
                # The client has had a second to say that it understood.
                self.core.shut_down()
        self._write()

    def _head_is_late(self, now: float) -> bool:
        """A greeting or a head has begun and does not end (S-901); a body has a rule of its own."""
        if self._streams or not self.core.unfinished:
            self._unfinished_since = now
            return False
        return now - self._unfinished_since > self._entry.entry_point.read_header_timeout

    # --- endings ---

    def leave(self) -> None:
        """The worker stops: no new streams, those that are open are the last (S-923)."""
        if self._closed or self._lingering:
            return
        self._say_goodbye()
        for stream in list(self._streams.values()):
            stream.stop()
        self._write()

    def stop(self) -> None:
        """GOAWAY has said it."""

    def _say_goodbye(self) -> None:
        if not self._leaving:
            self._leaving = True
            self.core.shut_down()

    def cut(self) -> None:
        """The grace is over."""
        self._closed = True
        self._end_streams()
        self._transport.abort()
