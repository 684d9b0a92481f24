"""How an auth server elsewhere is asked: by bytes that are ready, over a connection that is kept, without a task.

A browser sends the same fields with one request after another. What is asked about the second of them differs from
what was asked about the first in the page and in the request's name, and mostly the answer is the same: both are kept
with the header block. The auth server is asked about each request all the same; nothing here decides anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from doorward.messages.http import Header
from doorward.messages.routing import ForwardAuth
from doorward.net.asking import Asker, Asking
from doorward.proxy.http_authority import HttpAuthority
from doorward.proxy.middlewares.bulkhead import Bulkhead
from doorward.proxy.middlewares.sub_request import Prepared, SubRequest, page_of
from doorward.proxy.pending import Pending
from doorward.proxy.rechecks import Recheck, Word, both
from doorward.proxy.request import Asked, Request
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.response import ReceivedHead

_MOST_BYTES = 4 << 20
"""What the habits of one middleware may hold, about; the oldest go first."""
_MOST_ANSWERS = 16
_MOST_GLIMPSES = 8192

Essence = tuple[Header, ...]
"""What an answer says to whoever asked: the fields of it that are looked at."""


class Habit:
    """A header block, what is asked about requests with it, and what such a request became when it passed last."""

    __slots__ = ("authority", "block", "head", "headers", "method", "peer", "prepared", "size", "tls", "user")

    def __init__(self, request: Request, block: tuple[Header, ...], prepared: Prepared) -> None:
        self.block = block
        """Kept, so that no other block can have its identity meanwhile."""
        self.authority = request.authority
        self.method = request.method
        self.peer = request.peer
        self.tls = request.tls
        self.prepared = prepared
        self.head: ReceivedHead | None = None
        self.headers: tuple[Header, ...] = ()
        self.user = ""
        self.size = 2 * len(prepared.before) + 256 * len(block)

    def is_of(self, request: Request) -> bool:
        return (
            self.block is request.headers
            and self.authority == request.authority
            and self.method == request.method
            and self.peer == request.peer
            and self.tls == request.tls
        )


class Inquiry:
    """Puts the questions of one middleware that have no body."""

    def __init__(
        self,
        by: object,
        middleware: ForwardAuth,
        sub_request: SubRequest,
        authority: HttpAuthority,
        bulkhead: Bulkhead,
        essence: Callable[[ReceivedHead], Essence],
    ) -> None:
        """``by``: the middleware at work; ``essence``: what an answer that lets pass says to it."""
        self.by = by
        self.essence = essence
        self.most = middleware.max_response_body_size
        self.bulkhead = bulkhead
        self._sub_request = sub_request
        self._authority = authority
        self._interval = middleware.recheck_interval
        self._habits: dict[int, Habit] = {}
        self._glimpsed: set[int] = set()
        """Identities of header blocks that came once: what a client never repeats is no habit."""
        self._size = 0

    def about(self, request: Request) -> Pending | None:
        """Ask about ``request``; it finds the answer in ``asked``. None: this question is none of those."""
        habit = self.habit(request)
        try:
            if habit is not None:
                prepared: Prepared | None = habit.prepared
            else:
                prepared = self._sub_request.prepared(request)
                if prepared is None:
                    return None
                self._keep(request, prepared)
            assert prepared is not None
            message = prepared.about(page_of(request), request.id)
        except UnsafeField:
            return None
        question = _Question(self.by, request)
        method = request.method if self._sub_request.method_matters else b"GET"
        asking = self.asking(message, question, method)
        if asking is None:
            return None
        question.asking = asking
        again = self.recheck(message, method)
        if again is not None:
            request.recheck = both(request.recheck, again)
        asking.begin()
        return question

    def asking(self, message: bytes, asker: Asker, method: bytes = b"GET") -> Asking | None:
        """See ``HttpAuthority``."""
        return self._authority.asking(method, message, asker, self.bulkhead.patience)

    def habit(self, request: Request) -> Habit | None:
        """What is known of requests like this one, as it came to the middleware."""
        habit = self._habits.get(id(request.headers))
        return habit if habit is not None and habit.is_of(request) else None

    def recheck(self, message: bytes, method: bytes = b"GET") -> Recheck | None:
        """How to put the same question again while what it let in is open."""
        return Recheck(self._interval, partial(self._ask_again, message, method)) if self._interval else None

    def _keep(self, request: Request, prepared: Prepared) -> None:
        block = request.headers
        if not isinstance(block, tuple):
            return
        if id(block) not in self._glimpsed:
            if len(self._glimpsed) >= _MOST_GLIMPSES:
                self._glimpsed.clear()
            self._glimpsed.add(id(block))
            return
        known = self._habits.pop(id(block), None)
        if known is not None:
            self._size -= known.size
        habit = self._habits[id(block)] = Habit(request, block, prepared)
        self._size += habit.size
        while self._size > _MOST_BYTES:
            self._size -= self._habits.pop(next(iter(self._habits))).size

    async def _ask_again(self, message: bytes, method: bytes) -> Word:
        if self.bulkhead.full:
            return Word.NOTHING
        heard = _Heard()
        asking = self.asking(message, heard, method)
        assert asking is not None
        asking.begin()
        try:
            status = await heard.status
        finally:
            if not heard.status.done() or heard.status.cancelled():
                asking.cancel()
        if 200 <= status < 300:
            return Word.YES
        return Word.NOTHING if status >= 500 or status in (0, 408, 429) else Word.NO


class Toll:
    """What each request of a kind has to pay on the express lane: an auth server is asked."""

    __slots__ = ("_essence", "_inquiry", "_known", "_prepared")

    def __init__(self, inquiry: Inquiry, habit: Habit, head: ReceivedHead) -> None:
        """With an answer like ``head`` requests become what they did."""
        self._inquiry = inquiry
        self._prepared = habit.prepared
        self._essence = inquiry.essence(head)
        self._known: dict[int, ReceivedHead] = {id(head): head}

    def ask(self, page: bytes, name: bytes, asker: Asker) -> Asking | None:
        """Put the question about ``page`` (path and query) for the request of this ``name``. None: it is not possible
        at once, or not now."""
        inquiry = self._inquiry
        if inquiry.bulkhead.full:
            return None
        asking = inquiry.asking(self._prepared.about(page, name), asker)
        return asking if asking is not None and asking.begin_at_once() else None

    def passes(self, head: ReceivedHead, body: bytes) -> bool:
        """Whether with this answer the request becomes what the rehearsed one became. False: who knows."""
        if len(body) > self._inquiry.most:
            return False
        if id(head) in self._known:
            return True
        if not 200 <= head.status < 300 or self._inquiry.essence(head) != self._essence:
            return False
        if len(self._known) >= _MOST_ANSWERS:
            self._known.clear()
        self._known[id(head)] = head
        return True

    def asked(self, answer: ReceivedHead | Exception, body: bytes) -> Asked:
        """The answer for the ordinary way."""
        return Asked(self._inquiry.by, answer, body)

    def recheck(self, page: bytes, name: bytes) -> Recheck | None:
        """How to ask again while the response lasts."""
        return self._inquiry.recheck(self._prepared.about(page, name))


class _Question(Pending):
    """An ``Asker`` for one request."""

    __slots__ = ("_by", "_request", "asking")

    def __init__(self, by: object, request: Request) -> None:
        super().__init__()
        self._by = by
        self._request = request
        self.asking: Asking | None = None

    def answered(self, head: ReceivedHead, body: bytes) -> None:
        self._request.asked = Asked(self._by, head, body)
        self._arrived()

    def unanswered(self, error: Exception) -> None:
        self._request.asked = Asked(self._by, error)
        self._arrived()

    def cancel(self) -> None:
        super().cancel()
        if self.asking is not None:
            self.asking.cancel()


class _Heard:
    """An ``Asker`` for a task: the status alone, 0 for none."""

    def __init__(self) -> None:
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def answered(self, head: ReceivedHead, body: bytes) -> None:
        self._say(head.status)

    def unanswered(self, error: Exception) -> None:
        self._say(0)

    def _say(self, status: int) -> None:
        if not self.status.done():
            self.status.set_result(status)
