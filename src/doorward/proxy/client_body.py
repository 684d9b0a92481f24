"""How the body of a request comes in on a client's HTTP/1.1 connection: as fast as somebody takes it, or not at all.

While an exchange runs, the bytes of a following request stay unread in the buffer and reading is paused: at most
one request is read ahead (S-050, CVE-2026-54273). What is refused is said, and nothing behind it is looked at.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from doorward.proxy.answers import http_date, reason_phrase, rejection_answer
from doorward.proxy.client_endings import CLOSED, DRAINING, IN_FLIGHT, OPEN, RIDING, EndingConnection
from doorward.proxy.downstream import BodyReceiver, TunnelEnd
from doorward.proxy.progress import Progress
from doorward.proxy.request import ConnectionFacts
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.write import message_head

if TYPE_CHECKING:
    from doorward.proxy.entry_point import EntryPointServer

DRAIN_TIME = 10.0
"""Seconds that an unwanted request body may take to end (S-032)."""
_log = logging.getLogger("doorward.proxy")


class BodyConnection(EndingConnection):
    """A connection on which requests have bodies."""

    __slots__ = ("_continued", "_facts", "_held", "_progress", "_receiver", "_tunnel")

    _facts: ConnectionFacts

    def __init__(self, entry: EntryPointServer) -> None:
        super().__init__(entry)
        self._receiver: BodyReceiver | None = None
        self._tunnel: TunnelEnd | None = None
        self._progress: Progress | None = None
        """How the current request's body comes along; None when there is none to wait for."""
        self._held = False
        self._continued = False

    @property
    def peer(self) -> str:
        return self._facts.peer

    def _wait_for_next(self) -> None:
        """There is room for the next request."""
        raise NotImplementedError

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
        busy = self._exchange is not None or self._state is RIDING
        if not pause and busy and self._receiver is None and self._tunnel is None:
            pause = self._reader.buffered > (0 if self._reader.body is None else IN_FLIGHT)
        if pause is not self._paused and self._state is not CLOSED:
            self._paused = pause
            if pause:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    # --- bodies that nobody wants ---

    def _body_is_hopeless(self) -> bool:
        """The rest of the request's body will not be waited for (S-032, S-033)."""
        body = self._reader.body
        if self.head.expect_continue and not self._continued and not self._reader.buffered:
            return self._progress is None or self._progress.received == 0
        return getattr(body, "left", 0) > IN_FLIGHT

    def _begin_to_drain(self) -> None:
        """The response is complete, and the request's body is not."""
        self._state = DRAINING
        self._discarded = 0
        self._deadline = monotonic() + DRAIN_TIME
        self._drain()

    def _drain(self) -> None:
        """Let an unwanted body pass, as a body: its bytes are never taken for a request (S-032)."""
        try:
            self._discarded += len(self._reader.next_body())
        except Rejected as rejected:
            self._reject(rejected)
            return
        if self._reader.body is None:
            self._state = OPEN
            self._wait_for_next()
        elif self._discarded > IN_FLIGHT:
            self._linger()
        else:
            self._adjust_reading()

    def _check_body(self, progress: Progress, now: float) -> None:
        # Only the client's own slowness counts: not while we do not read, nor while it waits for our 100 Continue.
        waits_for_us = self._paused or self._receiver is None or (self.head.expect_continue and not progress.received)
        if progress.too_slow(now, waits_for_us):
            self._reject(Rejected(408, "body_timeout"))

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
