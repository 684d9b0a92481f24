"""The desk of one entry point: what a proxy was told about a browser is told again, as long as it stands.

    question ──known but for the page?──► does the answer stand for this page? ──► the same words, the date of today

Other proxies ask about every request of a browser, and their questions differ in ``X-Forwarded-Uri`` alone. The first
one goes the ordinary way, and so does every one that is not byte for byte like one before; what became of it is kept
together with the answer. An answer is given again only if whoever gave it says that it stands (``Lasting.stands``):
the desk decides nothing. A new routing table empties it, and it is bounded.
"""

from __future__ import annotations

import re
import time

from doorward.messages.http import HttpAnswer
from doorward.proxy.account import Account
from doorward.proxy.answers import http_date
from doorward.proxy.exchange import Exchange, Surroundings
from doorward.proxy.forwarding import Admission
from doorward.proxy.ports import Lasting
from doorward.proxy.request import ConnectionFacts
from doorward.proxy.routing import Routes
from doorward.wire.http1.plain_request import plain_target
from doorward.wire.http1.request import RequestHead

_MAX_SIZE = 8192
"""Bytes of a question; larger ones are not looked at."""
_MOST_BYTES = 16 << 20
_FIELD = b"X-Forwarded-Uri"
_date = re.compile(rb"\r\nDate: ([^\r]{29})\r\n").search
_page = re.compile(rb"\r\nX-Forwarded-Uri: ([\x21-\x7e]{1,2048}+)\r\n").search


class Said:
    """An answer, in the words in which it was given."""

    __slots__ = (
        "_account",
        "_after",
        "_before",
        "_block",
        "_date",
        "_page",
        "_place",
        "answer",
        "head",
        "lasting",
        "size",
    )

    def __init__(self, head: RequestHead, lasting: Lasting, answer: HttpAnswer, block: bytes, account: Account) -> None:
        """Raises ValueError when these words, or this account, cannot be used again."""
        self.head = head
        self.lasting = lasting
        self.answer = answer
        dated = _date(block)
        names = [name.lower() for name, _ in account.request_headers]
        if dated is None or names.count(_FIELD.lower()) != 1:
            raise ValueError
        self._before, self._date, self._after = block[: dated.start(1)], dated[1], block[dated.end(1) :]
        self._block = block
        self._account = account
        self._place = names.index(_FIELD.lower())
        self._page = account.request_headers[self._place][1]
        self.size = 2 * len(block) + 2048

    def again(self) -> bytes:
        """The same, said now."""
        today = http_date()
        if today is not self._date:
            self._date = today
            self._block = b"".join((self._before, today, self._after))
        return self._block

    def account(self, page: bytes, request_id: bytes, since: float) -> Account:
        """The account of a question about ``page`` that came at ``since`` (monotonic) and has been answered."""
        account = self._account
        if page != self._page:
            self._page = page
            headers = list(account.request_headers)
            headers[self._place] = (headers[self._place][0], page)
            account.request_headers = headers
        account.request_id = request_id
        account.started = since
        account.seconds = time.perf_counter() - since
        account.started_at = time.time() - account.seconds
        return account


class Desk:
    """See the module."""

    def __init__(self, surroundings: Surroundings, admission: Admission) -> None:
        self._surroundings = surroundings
        self._admission = admission
        self._routes: Routes | None = None
        self._said: dict[bytes, Said] = {}
        self._size = 0
        self._most = _MOST_BYTES

    def answer(self, facts: ConnectionFacts, mark: bytes, data: bytes) -> tuple[RequestHead, bytes] | None:
        """A head like the one in ``data``, and what it is answered; None: it goes the ordinary way. ``mark`` stands for
        the client's ``facts``."""
        if not self._said:
            return None
        since = time.perf_counter()
        parts = _parts(mark, data)
        if parts is None:
            return None
        key, page = parts
        said = self._said.get(key)
        if said is None:
            return None
        if self._surroundings.routes is not self._routes:
            self.forget()
            return None
        target = plain_target(page)
        if target is None or not said.lasting.stands(said.answer, target[1], target[2]):
            return None
        account = said.account(page, self._admission.new_id(), since)
        account.connection = facts
        for ledger in self._surroundings.ledgers:
            ledger.record(account)
        return said.head, said.again()

    def learn(self, mark: bytes, data: bytes, head: RequestHead, exchange: Exchange, block: bytes) -> None:
        """``data``, in which ``head`` stands, was answered by ``block`` in ``exchange``, which is over."""
        lasting, answer = exchange.lasting, exchange.said
        if lasting is None or answer is None or answer.body or b"x-request-id" in data.lower():
            return
        parts = _parts(mark, data)
        target = None if parts is None else plain_target(parts[1])
        if parts is None or target is None or not lasting.stands(answer, target[1], target[2]):
            return
        if self._surroundings.routes is not self._routes:
            self.forget()
        key = parts[0]
        try:
            said = Said(head, lasting, answer, block, exchange.account)
        except ValueError:
            return
        while self._said and self._size + said.size + len(key) > self._most:
            oldest = next(iter(self._said))
            self._size -= self._said.pop(oldest).size + len(oldest)
        known = self._said.pop(key, None)
        if known is not None:
            self._size -= known.size + len(key)
        self._said[key] = said
        self._size += said.size + len(key)

    def forget(self) -> None:
        """There are other routes."""
        self._routes = self._surroundings.routes
        self._said.clear()
        self._size = 0


def _parts(mark: bytes, data: bytes) -> tuple[bytes, bytes] | None:
    """``data`` without the page that it asks about, and the page; None when it is not one whole question."""
    if len(data) > _MAX_SIZE or data.find(b"\r\n\r\n") + 4 != len(data):
        return None
    found = _page(data)
    if found is None:
        return None
    start, end = found.span(1)
    # A zero byte stands in no head: what was before it and what comes after it cannot be mistaken for one another.
    return b"".join((mark, data[:start], b"\0", data[end:])), found[1]
