"""One question to a server that speaks HTTP/1.1, and its whole answer, by callbacks: no task, no future, no timer each.

    Asking ──a kept connection, or a new one──► the server ──complete answer──► Asker.answered
                                                            └─anything else──► Asker.unanswered

``Client`` is for errands that may take their time; this is for those that are run with every request. It keeps to the
same rules: no redirect is followed (S-124), an answer is capped in size and time, and a question is repeated only if
it may be and the connection had died before anybody looked at it (S-920).
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from doorward.messages.http import Header
from doorward.net.client import TooLarge
from doorward.net.pool import Pool
from doorward.net.upstream import Lost, UpstreamConnection, UpstreamError
from doorward.wire.http1.response import ReceivedHead

_SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS"))


class Asker(Protocol):
    """Whoever asked: one of these is called, once, and none after ``Asking.cancel``."""

    def answered(self, head: ReceivedHead, body: bytes) -> None:
        """The complete final answer, whatever its status."""

    def unanswered(self, error: Exception) -> None:
        """There is none: UpstreamError, TooLarge, TimeoutError."""


class Patience:
    """How long answers are waited for. All questions have the same time, so they run out in the order in which they
    were put, and one timer is enough for all of them."""

    __slots__ = ("_seconds", "_timer", "_until")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[Asking, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many wait."""
        return len(self._until)

    def begin(self, asking: Asking) -> None:
        loop = asyncio.get_running_loop()
        self._until[asking] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._ring)

    def end(self, asking: Asking) -> None:
        self._until.pop(asking, None)

    def _ring(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        late = [asking for asking, until in self._until.items() if until <= now]
        for asking in late:
            asking.give_up(TimeoutError(f"no answer within {self._seconds:g} s"))
        if self._until and self._timer is None:
            self._timer = loop.call_at(next(iter(self._until.values())), self._ring)


class Asking:
    """See the module. A ``WholeReceiver``."""

    __slots__ = (
        "_again",
        "_asker",
        "_body",
        "_connection",
        "_dialling",
        "_head",
        "_max_body",
        "_message",
        "_method",
        "_patience",
        "_pool",
        "_size",
    )

    def __init__(
        self, pool: Pool, method: bytes, message: bytes, asker: Asker, max_body: int, patience: Patience
    ) -> None:
        """``message`` is a complete request without a body, ``pool`` one that ``speaks_http1``; ``max_body`` is in
        bytes."""
        self._pool = pool
        self._method = method
        self._message = message
        self._asker = asker
        self._max_body = max_body
        self._patience = patience
        self._connection: UpstreamConnection | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._again = False
        self._head: ReceivedHead | None = None
        self._body: list[bytes] = []
        self._size = 0

    def begin(self) -> None:
        """Ask. The asker hears of it later, never before this returns."""
        self._patience.begin(self)
        connection = self._pool.take_http1()
        if connection is None:
            self._dial()
        else:
            self._put(connection)

    def begin_at_once(self) -> bool:
        """The same if a connection is there. False: none is, and nothing has happened."""
        connection = self._pool.take_http1()
        if connection is None:
            return False
        self._patience.begin(self)
        self._put(connection)
        return True

    def cancel(self) -> None:
        """Nobody wants to know any more: the answer must not reach anybody (S-305)."""
        self._patience.end(self)
        if self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()

    def give_up(self, error: Exception) -> None:
        """No answer will be waited for."""
        self.cancel()
        self._asker.unanswered(error)

    # --- the answer ---

    def response_whole(self, head: ReceivedHead, body: bytes) -> None:
        self._connection = None
        if len(body) > self._max_body:
            self.give_up(TooLarge(head.status))
            return
        self._patience.end(self)
        self._asker.answered(head, body)

    def response_started(self, head: ReceivedHead) -> None:
        if head.status == 101:
            self.give_up(UpstreamError("switched protocols unasked"))
        elif head.status >= 200:
            self._head = head
            if head.length is not None and head.length > self._max_body:
                self.give_up(TooLarge(head.status))

    def response_data(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self._max_body:
            self._body.append(data)
        elif self._head is not None:
            self.give_up(TooLarge(self._head.status))

    def response_flush(self) -> None:
        """An answer is collected, not passed on: nothing to do."""

    def response_trailers(self, trailers: tuple[Header, ...]) -> None:
        """Not looked at."""

    def response_ended(self) -> None:
        if self._head is not None and self._connection is not None:
            self.response_whole(self._head, b"".join(self._body))

    def response_failed(self, error: UpstreamError) -> None:
        connection, self._connection = self._connection, None
        dead = isinstance(error, Lost) and error.untouched and connection is not None and connection.reused
        if dead and not self._again and self._method in _SAFE:
            self._again = True
            self._dial()
        else:
            self.give_up(error)

    def upstream_full(self) -> None:
        """The question was handed over whole."""

    def upstream_ready(self) -> None:
        """See ``upstream_full``."""

    # --- the connection ---

    def _put(self, connection: UpstreamConnection) -> None:
        self._connection = connection
        if self._method == b"GET":
            connection.ask_plainly(self, self._message)
        else:
            connection.ask(self, self._method, self._message, complete=True)

    def _dial(self) -> None:
        self._dialling = asyncio.get_running_loop().create_task(self._dialled())

    async def _dialled(self) -> None:
        try:
            connection = await self._pool.dial_http1()
        except UpstreamError as error:
            self._dialling = None
            self.give_up(error)
        else:
            self._dialling = None
            self._put(connection)
