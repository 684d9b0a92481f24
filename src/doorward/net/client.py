"""A small HTTP client for complete questions and answers, on the same wire code as the proxy. It speaks HTTP/1.1, and
HTTP/2 with ``h2c`` origins, and with those on TLS that choose it if it may.

The data plane uses it for its own errands: asking an auth server, the outpost's back channel. It never follows a
redirect, never looks at proxy settings of the environment, never sends credentials anywhere but to the given
origin (S-124), and every answer is capped in size and time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from doorward.messages.http import Header, HttpAnswer, HttpQuestion
from doorward.net.http2_call import Http2Call, Question
from doorward.net.origin import Origin
from doorward.net.pool import Pool, PoolSettings
from doorward.net.upstream import Lost, Receiver, Refused, UpstreamConnection, UpstreamError
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.response import ReceivedHead
from doorward.wire.http1.write import message_head

__all__ = ["Client", "Origin", "TooLarge", "Unreachable"]

_NOT_THE_CALLERS = frozenset(
    (
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"keep-alive",
        b"te",
        b"trailer",
        b"upgrade",
        b"expect",
        b"proxy-connection",
    )
)
_WITH_BODY = frozenset((b"POST", b"PUT", b"PATCH"))
_SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS"))


class Unreachable(Exception):
    """No complete, well-formed answer came: refused, untrusted, timed out, cut short, or not HTTP."""


class TooLarge(Exception):
    """The answer's body exceeds what the caller allows."""

    def __init__(self, status: int) -> None:
        super().__init__("the answer is too large")
        self.status = status
        """What the answer's head said."""


class Client:
    """Owns the connections to every origin it was asked about; used from one event loop."""

    def __init__(self, settings: PoolSettings | None = None, *, with_dates: bool = False) -> None:
        """``with_dates``: leave ``Date`` among the fields of answers."""
        self._with_dates = with_dates
        self._settings = settings or PoolSettings()
        self._pools: dict[tuple[Origin, bool], Pool] = {}
        self._swept = 0.0

    async def fetch(
        self,
        question: HttpQuestion,
        origin: Origin,
        *,
        timeout: float | None = 10.0,
        max_body: int = 1 << 20,
        http2: bool = False,
    ) -> HttpAnswer:
        """Send ``question`` to ``origin`` and return the final answer, whatever its status.

        ``timeout`` is in seconds and spans everything, connecting included; None: the caller sees to it. ``max_body``
        is in bytes; ``http2``: an https origin may choose HTTP/2. A ``Host`` field is added unless the question has
        one; ``Content-Length`` is always our own. The answer's connection fields, ``Content-Length`` and ``Date`` are
        left out. Raises Unreachable, TooLarge.
        """
        pool = self._pool(origin, http2)
        try:
            sender = _Sender(question, origin)
            if timeout is None:
                return await self._exchange(pool, sender, max_body)
            async with asyncio.timeout(timeout):
                return await self._exchange(pool, sender, max_body)
        except TimeoutError as error:
            raise Unreachable(f"no answer within {timeout:g} s") from error
        except (UpstreamError, UnsafeField) as error:
            raise Unreachable(str(error)) from error

    def pool(self, origin: Origin) -> Pool:
        """The connections of HTTP/1.1, or of h2c, to ``origin``, for whoever asks by callbacks (``net.asking``)."""
        return self._pool(origin, http2=False)

    def sweep(self) -> None:
        """Close what was idle for too long; to be called whenever something is asked, about once a second is enough."""
        now = time.monotonic()
        if now - self._swept > 1.0:
            self._swept = now
            for pool in self._pools.values():
                pool.sweep(now)

    async def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    async def cut(self) -> None:
        """The same at once, for a program that ends now."""
        for pool in self._pools.values():
            pool.cut()
        self._pools.clear()
        await asyncio.sleep(0)  # the sockets are closed in the loop's next turn

    async def _exchange(self, pool: Pool, sender: _Sender, max_body: int) -> HttpAnswer:
        connection = pool.take() or await pool.dial()
        try:
            return await self._answer(sender, connection, max_body)
        except Refused:
            pass  # nothing has happened
        except Lost as lost:
            # S-920: it died while nobody looked, not while it was answering.
            if not (connection.reused and lost.untouched and sender.is_safe):
                raise
        return await self._answer(sender, await pool.dial(), max_body)

    async def _answer(self, sender: _Sender, connection: UpstreamConnection | Http2Call, max_body: int) -> HttpAnswer:
        answer = await _Answer(sender, connection, max_body).received()
        if self._with_dates:
            return answer
        headers = [header for header in answer.headers if len(header[0]) != 4 or header[0].lower() != b"date"]
        return HttpAnswer(answer.status, tuple(headers), answer.body)

    def _pool(self, origin: Origin, http2: bool) -> Pool:
        self.sweep()
        found = self._pools.get((origin, http2))
        if found is None:
            found = self._pools[origin, http2] = Pool(origin, replace(self._settings, http2=http2))
        return found


class _Sender:
    """A question, ready to be sent in either version."""

    def __init__(self, question: HttpQuestion, origin: Origin) -> None:
        """Raises UnsafeField."""
        self.method = question.method
        self._body = question.body
        self._headers: list[Header] = []
        self._host = origin.authority
        hosts = 0
        for header in question.headers:
            name = header[0].lower()
            if name == b"host":
                self._host, hosts = header[1], hosts + 1
            elif name not in _NOT_THE_CALLERS:
                self._headers.append(header)
        if hosts > 1 or b" " in question.target or not question.target:
            raise UnsafeField("target")
        if question.body or question.method in _WITH_BODY:
            self._headers.append((b"Content-Length", b"%d" % len(question.body)))
        self._target = question.target
        self._scheme = b"https" if origin.scheme == "https" else b"http"

    @property
    def is_safe(self) -> bool:
        """It may be sent twice."""
        return self.method in _SAFE and not self._body

    def send(self, connection: UpstreamConnection | Http2Call, receiver: Receiver) -> None:
        """Raises UnsafeField."""
        if isinstance(connection, UpstreamConnection):
            start = b"%b %b HTTP/1.1" % (self.method, self._target)
            message = message_head(start, [(b"Host", self._host), *self._headers]) + self._body
            connection.ask(receiver, self.method, message, complete=True)
            return
        question = Question(self.method, self._scheme, self._host, self._target, self._headers, trailers=True)
        connection.ask(receiver, question, complete=not self._body)
        if self._body:
            connection.send(self._body)
            connection.finish_request()


class _Answer:
    """Collects one answer (a ``Receiver``)."""

    def __init__(self, sender: _Sender, connection: UpstreamConnection | Http2Call, max_body: int) -> None:
        self._sender = sender
        self._connection = connection
        self._max_body = max_body
        self._head: ReceivedHead | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._result: asyncio.Future[HttpAnswer] = asyncio.get_running_loop().create_future()

    async def received(self) -> HttpAnswer:
        try:
            self._sender.send(self._connection, self)
        except UnsafeField:
            self._connection.release()
            raise
        try:
            return await self._result
        finally:
            if not self._result.done() or self._result.cancelled():
                self._connection.abandon()

    def response_started(self, head: ReceivedHead) -> None:
        if head.status == 101:
            self._give_up(UpstreamError("switched protocols unasked"))
        elif head.status >= 200:
            self._head = head
            if head.length is not None and head.length > self._max_body:
                self._give_up(TooLarge(head.status))

    def response_data(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._max_body:
            assert self._head is not None
            self._give_up(TooLarge(self._head.status))
            return
        self._body.append(data)

    def response_flush(self) -> None:
        """An answer is collected, not passed on: nothing to do."""

    def response_trailers(self, trailers: tuple[Header, ...]) -> None:
        """Not looked at."""

    def response_ended(self) -> None:
        if not self._result.done() and self._head is not None:
            self._result.set_result(HttpAnswer(self._head.status, tuple(self._head.headers), b"".join(self._body)))

    def response_failed(self, error: UpstreamError) -> None:
        if not self._result.done():
            self._result.set_exception(error)

    def upstream_full(self) -> None:
        """The question was handed over whole."""

    def upstream_ready(self) -> None:
        """See ``upstream_full``."""

    def _give_up(self, error: Exception) -> None:
        self._connection.abandon()
        if not self._result.done():
            self._result.set_exception(error)
