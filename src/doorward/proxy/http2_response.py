"""The response on a stream of a client's HTTP/2 connection.

What the client does not take, because its window is shut or its socket full, stays here and makes the server wait.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from doorward.messages.http import Header
from doorward.proxy.answers import http_date
from doorward.proxy.downstream import BodyReceiver, TunnelEnd
from doorward.proxy.exchange import Exchange
from doorward.proxy.progress import Progress
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.request import RequestHead
from doorward.wire.http2 import ErrorCode

if TYPE_CHECKING:
    from doorward.proxy.http2_connection import Http2Connection

_FRAMING = frozenset((b"content-length", b"trailer"))
"""Written by us; the other fields that concern a connection are left out by whoever writes the head."""


class AnsweringStream:
    """See the module."""

    __slots__ = (
        "_bodiless",
        "_connection",
        "_continued",
        "_end_sent",
        "_exchange",
        "_finished",
        "_full",
        "_left",
        "_offset",
        "_progress",
        "_receiver",
        "_trailers",
        "_tunnel",
        "_waiting",
        "answered",
        "head",
        "id",
    )

    def __init__(self, connection: Http2Connection, stream_id: int, head: RequestHead) -> None:
        self._connection = connection
        self.id = stream_id
        self.head = head
        self._exchange: Exchange | None = None
        self._receiver: BodyReceiver | None = None
        self._tunnel: TunnelEnd | None = None
        self._progress: Progress | None = None
        """How the request's body comes along; None when there is none to wait for."""
        self._continued = False
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
        self._trailers: tuple[Header, ...] = ()
        """Fields that are to follow the response's body."""
        self.answered = b""

    # --- what the exchange says ---

    def inform(self, status: int, reason: bytes, headers: list[Header]) -> None:
        if status == 101 or (status == 100 and not self.head.expect_continue):
            return
        try:
            self._connection.core.inform(self.id, status, without(headers, _FRAMING))
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
        fields = without(headers, _FRAMING)
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

    def abort(self) -> None:
        self._exchange = None
        self._tunnel = None
        self._receiver = None
        self._waiting.clear()
        self._connection.core.reset(self.id, ErrorCode.INTERNAL_ERROR)
        self._connection.over(self)

    # --- what waits ---

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


def without(headers: list[Header], names: frozenset[bytes]) -> list[Header]:
    """``headers`` but for those of ``names`` (lower case)."""
    return [header for header in headers if header[0].lower() not in names]
