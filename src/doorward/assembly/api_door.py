"""``api@internal`` in a worker: passes questions on to the control process, which knows the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from doorward.messages.control import ApiAnswer, ApiQuestion
from doorward.messages.http import Header, HttpAnswer
from doorward.proxy.request import Request

TIMEOUT = 5.0
"""Seconds."""
MOST_WAITING = 64
"""Questions under way; more are answered 503."""
_NOSNIFF: Header = (b"X-Content-Type-Options", b"nosniff")
_TEXT: Header = (b"Content-Type", b"text/plain; charset=utf-8")
_NO_STORE: Header = (b"Cache-Control", b"no-store")
_AWAY = HttpAnswer(503, (_TEXT, _NOSNIFF), b"the control process does not answer; try again in a second\n")


class ApiDoor:
    """An ``InternalService``."""

    def __init__(self, ask: Callable[[ApiQuestion], bool]) -> None:
        """``ask`` sends a question; False when nobody is there."""
        self._ask = ask
        self._waiting: dict[int, asyncio.Future[ApiAnswer]] = {}
        self._ticket = 0

    def answer(self, request: Request, body: bytes) -> HttpAnswer | Awaitable[HttpAnswer]:
        """Read only."""
        if request.method != b"GET":
            return HttpAnswer(405, ((b"Allow", b"GET"),))
        return self._answer(request.path.decode("ascii"), (request.query or b"").decode("latin-1"))

    async def _answer(self, path: str, query: str) -> HttpAnswer:
        self._ticket += 1
        ticket = self._ticket
        if len(self._waiting) >= MOST_WAITING or not self._ask(ApiQuestion(ticket, path, query)):
            return _AWAY
        future: asyncio.Future[ApiAnswer] = asyncio.get_running_loop().create_future()
        self._waiting[ticket] = future
        try:
            said = await asyncio.wait_for(future, TIMEOUT)
        except TimeoutError:
            return _AWAY
        finally:
            self._waiting.pop(ticket, None)
        headers = [(b"Content-Type", said.content_type.encode("ascii")), _NOSNIFF, _NO_STORE]
        if said.next_page:
            headers.append((b"X-Next-Page", b"%d" % said.next_page))
        return HttpAnswer(said.status, tuple(headers), said.body)

    def arrived(self, answer: ApiAnswer) -> None:
        """The control process has answered."""
        future = self._waiting.get(answer.ticket)
        if future is not None and not future.done():
            future.set_result(answer)
