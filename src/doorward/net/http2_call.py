"""One request on an HTTP/2 connection to a server, and its response: what ``UpstreamConnection`` is in HTTP/1.

A call is used once. It belongs to its ``Receiver`` from ``ask`` until ``response_ended`` or ``response_failed``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doorward.messages.http import Header
from doorward.net.upstream import Receiver, Refused, UpstreamError
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.response import ReceivedHead

if TYPE_CHECKING:
    from doorward.net.http2_upstream import Http2Upstream


@dataclass(frozen=True, slots=True)
class Question:
    """The head of a request to an HTTP/2 server."""

    method: bytes
    scheme: bytes
    authority: bytes
    target: bytes
    """Path and query."""
    headers: Iterable[Header]
    """Without ``Host`` and whatever concerns a connection."""
    trailers: bool = False
    """Say that trailers are welcome."""
    encoded: bytes = b""
    """More fields, out of ``fields_block``."""


class Http2Call:
    """See the module."""

    __slots__ = (
        "_arrived",
        "_connection",
        "_ended",
        "_offset",
        "_outgoing",
        "_paused",
        "_receiver",
        "_request_trailers",
        "_told_full",
        "_trailers",
        "begun",
        "id",
        "request_done",
        "reused",
    )

    def __init__(self, connection: Http2Upstream, reused: bool) -> None:
        """``reused``: the connection stood before, and may have died while nobody looked."""
        self._connection = connection
        self.id = 0
        self.reused = reused
        self.request_done = False
        """The whole request has been handed over."""
        self.begun = False
        """Some of the response has come."""
        self._receiver: Receiver | None = None
        self._arrived: deque[bytes] = deque()
        """What the server sent and the receiver does not take yet."""
        self._ended = False
        self._trailers: tuple[Header, ...] = ()
        self._paused = False
        self._outgoing: deque[bytes] = deque()
        """What the server is still to be sent, from ``_offset`` in the first piece on; an empty piece is the end."""
        self._offset = 0
        self._told_full = False
        self._request_trailers: tuple[Header, ...] = ()

    # --- what the asker calls ---

    def ask(self, receiver: Receiver, question: Question, complete: bool) -> None:
        """Send a request's head; ``complete``: it has no body. Raises UnsafeField, and then nothing was sent."""
        self._receiver = receiver
        connection = self._connection
        if not connection.usable:
            # It ended between being chosen and being used; nothing was sent.
            connection.release()
            asyncio.get_running_loop().call_soon(self.fail, Refused("the connection has just ended"))
            return
        try:
            self.id = connection.core.request(
                method=question.method,
                scheme=question.scheme,
                authority=question.authority,
                target=question.target,
                headers=question.headers,
                ended=complete,
                trailers=question.trailers,
                encoded=question.encoded,
            )
        except UnsafeField:
            self._receiver = None
            raise
        self.request_done = complete
        connection.begin(self)
        connection.release()

    def release(self) -> None:
        """Nothing will be asked after all."""
        self._connection.release()

    def send(self, data: bytes) -> None:
        if not self.id:
            return
        if not self._outgoing and not self._connection.full:
            sent = self._connection.send_data(self.id, data, False)
            if sent == len(data):
                return
            self._offset = sent
        self._outgoing.append(data)
        self._connection.wait(self)
        if not self._told_full and self._receiver is not None:
            self._told_full = True
            self._receiver.upstream_full()

    def finish_request(self, trailers: tuple[Header, ...] = ()) -> None:
        """The request's body is complete; ``trailers`` follow it. Raises UnsafeField."""
        self.request_done = True
        if not self.id:
            return
        self._request_trailers = trailers
        if self._outgoing:
            self._outgoing.append(b"")
        else:
            self._send_end()

    def abandon(self) -> None:
        """Whoever asked has gone: the server is told, and the response reaches nobody."""
        self._receiver = None
        self._arrived.clear()
        self._outgoing.clear()
        self._connection.ended(self)

    def pause(self) -> None:
        """Give out no more for now: whoever takes the response is slow."""
        self._paused = True

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._deliver()
            self.flush()

    # --- what the connection calls ---

    @property
    def waiting(self) -> bool:
        """The server is still to be sent something."""
        return bool(self._outgoing)

    def push(self, most: int) -> int:
        """Send up to ``most`` bytes of what waits; what that was, 1 for a mere end, 0 if nothing went."""
        if not self._outgoing:
            return 0
        first = self._outgoing[0]
        if not first:
            self._outgoing.popleft()
            self._send_end()
            return 0 if self._outgoing else 1
        piece = first[self._offset : self._offset + most]
        sent = self._connection.send_data(self.id, piece, False)
        self._offset += sent
        if self._offset == len(first):
            self._outgoing.popleft()
            self._offset = 0
            if not self._outgoing and self._told_full and self._receiver is not None:
                self._told_full = False
                self._receiver.upstream_ready()
        return sent

    def take_head(self, head: ReceivedHead, ended: bool) -> None:
        self.begun = True
        receiver = self._receiver
        if receiver is None:
            return
        receiver.response_started(head)
        if ended:
            self._ended = True
            self._deliver()

    def take_data(self, data: bytes, ended: bool) -> None:
        self._ended = ended
        if data:
            self._arrived.append(data)
        self._deliver()

    def take_trailers(self, trailers: tuple[Header, ...]) -> None:
        self._trailers = trailers
        self._ended = True
        self._deliver()

    def flush(self) -> None:
        """Nothing more is there at the moment."""
        if self._receiver is not None:
            self._receiver.response_flush()

    def fail(self, error: UpstreamError) -> None:
        """The stream is gone. A response that was complete by then is still given out, any other is not."""
        if self._ended:
            return
        receiver, self._receiver = self._receiver, None
        self._arrived.clear()
        self._outgoing.clear()
        if receiver is not None:
            receiver.response_failed(error)

    # --- within ---

    def _deliver(self) -> None:
        """Give what arrived to whoever asked; as much more may come."""
        receiver = self._receiver
        while self._arrived and not self._paused and receiver is not None:
            data = self._arrived.popleft()
            receiver.response_data(data)
            self._connection.consume(self.id, len(data))
            receiver = self._receiver
        if receiver is None or not self._ended or self._arrived:
            return
        self._receiver = None
        self._outgoing.clear()
        self._connection.ended(self)
        if self._trailers:
            receiver.response_trailers(self._trailers)
        receiver.response_ended()

    def _send_end(self) -> None:
        core = self._connection.core
        if self._request_trailers:
            core.send_trailers(self.id, self._request_trailers)
            self._connection.flush()
            return
        self._connection.send_data(self.id, b"", True)
        if core.blocked(self.id):
            # The server has taken back more window than it had given: even the end has to wait.
            self._outgoing.append(b"")
            self._connection.wait(self)
