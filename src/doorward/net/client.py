"""A small HTTP/1.1 client for complete questions and answers, on the same wire code as the proxy.

The data plane uses it for its own errands: asking an auth server, the outpost's back channel. It never follows a
redirect, never looks at proxy settings of the environment, never sends credentials anywhere but to the given
origin (S-124), and every answer is capped in size and time.
"""

from __future__ import annotations

import asyncio
import time

from doorward.messages.http import Header, HttpAnswer, HttpQuestion
from doorward.net.origin import Origin
from doorward.net.pool import Pool, PoolSettings
from doorward.net.upstream import Lost, UpstreamConnection, UpstreamError
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

    def __init__(self, settings: PoolSettings | None = None) -> None:
        self._settings = settings or PoolSettings()
        self._pools: dict[Origin, Pool] = {}
        self._swept = 0.0

    async def fetch(
        self, question: HttpQuestion, origin: Origin, *, timeout: float = 10.0, max_body: int = 1 << 20
    ) -> HttpAnswer:
        """Send ``question`` to ``origin`` and return the final answer, whatever its status.

        ``timeout`` is in seconds and spans everything, connecting included; ``max_body`` is in bytes. A ``Host``
        field is added unless the question has one; ``Content-Length`` is always our own. The answer's connection
        fields, ``Content-Length`` and ``Date`` are left out. Raises Unreachable, TooLarge.
        """
        pool = self._pool(origin)
        try:
            message = _question_bytes(question, origin)
            async with asyncio.timeout(timeout):
                return await self._exchange(pool, question, message, max_body)
        except TimeoutError as error:
            raise Unreachable(f"no answer within {timeout:g} s") from error
        except (UpstreamError, UnsafeField) as error:
            raise Unreachable(str(error)) from error

    async def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    async def _exchange(self, pool: Pool, question: HttpQuestion, message: bytes, max_body: int) -> HttpAnswer:
        connection = pool.take_http1() or await pool.dial_http1()
        try:
            return await _Answer(question.method, connection, max_body).to(message)
        except Lost as lost:
            # S-920: it died while nobody looked, not while it was answering.
            if not (connection.reused and lost.untouched and question.method in _SAFE and not question.body):
                raise
        return await _Answer(question.method, await pool.dial_http1(), max_body).to(message)

    def _pool(self, origin: Origin) -> Pool:
        now = time.monotonic()
        if now - self._swept > 1.0:
            self._swept = now
            for pool in self._pools.values():
                pool.sweep(now)
        found = self._pools.get(origin)
        if found is None:
            found = self._pools[origin] = Pool(origin, self._settings)
        return found


def _question_bytes(question: HttpQuestion, origin: Origin) -> bytes:
    headers: list[Header] = []
    has_host = False
    for header in question.headers:
        name = header[0].lower()
        if name in _NOT_THE_CALLERS:
            continue
        has_host = has_host or name == b"host"
        headers.append(header)
    if not has_host:
        headers.insert(0, (b"Host", origin.authority))
    if question.body or question.method in _WITH_BODY:
        headers.append((b"Content-Length", b"%d" % len(question.body)))
    if b" " in question.target or not question.target:
        raise UnsafeField("target")
    start = b"%b %b HTTP/1.1" % (question.method, question.target)
    return message_head(start, headers) + question.body


class _Answer:
    """Collects one answer (a ``Receiver``)."""

    def __init__(self, method: bytes, connection: UpstreamConnection, max_body: int) -> None:
        self._method = method
        self._connection = connection
        self._max_body = max_body
        self._head: ReceivedHead | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._result: asyncio.Future[HttpAnswer] = asyncio.get_running_loop().create_future()

    async def to(self, message: bytes) -> HttpAnswer:
        try:
            self._connection.ask(self, self._method, message, complete=True)
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
            headers = tuple(header for header in self._head.headers if header[0].lower() != b"date")
            self._result.set_result(HttpAnswer(self._head.status, headers, b"".join(self._body)))

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
