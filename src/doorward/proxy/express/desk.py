"""The desk of one entry point: what a proxy was told about a browser is told again, as long as it stands.

    question ──known but for the page?──► does the answer stand for this page? ──► the same words, the date of today

Other proxies ask about every request of a browser, and their questions differ in the page alone, wherever they name it:
Traefik and Caddy in ``X-Forwarded-Uri``, nginx in ``X-Original-URL``, Envoy behind our own path. The first one goes
the ordinary way, and so does every one that is not byte for byte like one before; what became of it is kept
together with the answer. An answer is given again only if whoever gave it says that it stands (``Lasting.stands``):
the desk decides nothing. A new routing table empties it, and it is bounded.
"""

from __future__ import annotations

import re
import time

from doorward.messages.http import HttpAnswer
from doorward.proxy.account import Account
from doorward.proxy.answers import http_date
from doorward.proxy.exchange import Exchange
from doorward.proxy.forwarding import Admission
from doorward.proxy.ports import Lasting
from doorward.proxy.request import ConnectionFacts
from doorward.proxy.routing import Routes
from doorward.proxy.service import Series
from doorward.proxy.surroundings import Surroundings
from doorward.wire.http1.plain_request import plain_target
from doorward.wire.http1.request import RequestHead

_MAX_SIZE = 8192
"""Bytes of a question; larger ones are not looked at."""
_MOST_BYTES = 16 << 20
_MOST_KNOWN = 1024
"""Questions that are known as they stand."""
_date = re.compile(rb"\r\nDate: ([^\r]{29})\r\n").search


class Place:
    """Where a proxy's questions name the page: the value of ``field``, the end of it, or the end of the target."""

    __slots__ = ("field", "find")

    def __init__(self, field: bytes, pattern: re.Pattern[bytes]) -> None:
        """``pattern`` finds the page in a head, as its group; ``field`` is in lower case, empty: none."""
        self.field = field
        self.find = pattern.search


_NGINX = b"GET /outpost.goauthentik.io/auth/nginx "
_ENVOY = b"GET /outpost.goauthentik.io/auth/envoy"
_IN_URI = Place(b"x-forwarded-uri", re.compile(rb"\r\nX-Forwarded-Uri: ([\x21-\x7e]{1,2048}+)\r\n"))
_IN_URL = Place(
    b"x-original-url",
    re.compile(rb"\r\nX-Original-URL: https?://[A-Za-z0-9.:_\[\]-]{1,255}+(/[\x21-\x7e]{0,2047}+)\r\n"),
)
_IN_TARGET = Place(b"", re.compile(rb"\AGET /outpost\.goauthentik\.io/auth/envoy(/[\x21-\x7e]{0,2047}+) HTTP/1\.1\r\n"))


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
        "_rest",
        "answer",
        "books",
        "head",
        "lasting",
        "size",
    )

    def __init__(
        self,
        head: RequestHead,
        lasting: Lasting,
        answer: HttpAnswer,
        block: bytes,
        account: Account,
        place: Place,
        page: bytes,
    ) -> None:
        """``answer`` to a question that names ``page`` at ``place``. Raises ValueError when these words, or this
        account, cannot be used again."""
        self.head = head
        self.lasting = lasting
        self.answer = answer
        dated = _date(block)
        names = [name.lower() for name, _ in account.request_headers]
        if dated is None or (place.field and names.count(place.field) != 1):
            raise ValueError
        self._place = names.index(place.field) if place.field else -1
        """Which field names the page; -1: the target does."""
        named = account.request_headers[self._place][1] if place.field else account.target
        if not named.endswith(page):
            raise ValueError
        self._rest = named[: len(named) - len(page)]
        """What stands before the page there."""
        self._page = page
        self._before, self._date, self._after = block[: dated.start(1)], dated[1], block[dated.end(1) :]
        self._block = block
        self._account = account
        self.books: list[Series] = []
        """Where it is entered, if no entry needs an account of its own."""
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
        self._name(page)
        account = self._account
        account.request_id = request_id
        account.started = since
        account.seconds = time.perf_counter() - since
        account.started_at = time.time() - account.seconds
        return account

    def enter(self, page: bytes, since: float) -> None:
        """Into the ``books``, instead of an account."""
        if self._place < 0:
            self._name(page)
        seconds = time.perf_counter() - since
        account, started_at = self._account, time.time() - seconds
        for series in self.books:
            series.add(account.target, started_at, seconds, account.sent)

    def _name(self, page: bytes) -> None:
        account = self._account
        if page != self._page:
            self._page = page
            if self._place < 0:
                account.target = self._rest + page
            else:
                headers = list(account.request_headers)
                headers[self._place] = (headers[self._place][0], self._rest + page)
                account.request_headers = headers


class Known:
    """A question that was answered here, with everything that stands in it."""

    __slots__ = ("page", "path", "query", "said")

    def __init__(self, said: Said, page: bytes, path: bytes, query: bytes | None) -> None:
        self.said = said
        self.page = page
        self.path = path
        self.query = query


class Desk:
    """See the module."""

    def __init__(self, surroundings: Surroundings, admission: Admission) -> None:
        self._surroundings = surroundings
        self._admission = admission
        self._routes: Routes | None = None
        self._said: dict[bytes, Said] = {}
        self._known: dict[bytes, Known] = {}
        """By the mark and the whole question, what would be found again in ``_said``."""
        self._size = 0
        self._most = _MOST_BYTES
        self.told = 0
        """Questions that were answered here."""

    def answer(self, facts: ConnectionFacts, mark: bytes, data: bytes) -> tuple[RequestHead, bytes] | None:
        """A head like the one in ``data``, and what it is answered; None: it goes the ordinary way. ``mark`` stands for
        the client's ``facts``."""
        if not self._said:
            return None
        since = time.perf_counter()
        key = mark + data
        known = self._known.get(key) or self._find(mark, data)
        if known is None:
            return None
        if self._surroundings.routes is not self._routes:
            self.forget()
            return None
        said = known.said
        if not said.lasting.stands(said.answer, known.path, known.query):
            return None
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = known
        self.told += 1
        if said.books:
            said.enter(known.page, since)
        else:
            self._account(said, facts, known.page, since)
        return said.head, said.again()

    def _find(self, mark: bytes, data: bytes) -> Known | None:
        parts = _parts(mark, data, _place_in(data))
        said = None if parts is None else self._said.get(parts[0])
        if parts is None or said is None:
            return None
        target = plain_target(parts[1])
        return None if target is None else Known(said, parts[1], target[1], target[2])

    def _account(self, said: Said, facts: ConnectionFacts, page: bytes, since: float) -> None:
        account, ledgers = said.account(page, self._admission.new_id(), since), self._surroundings.ledgers
        account.connection = facts
        for ledger in ledgers:
            ledger.record(account)
        series = [each for ledger in ledgers if (each := ledger.series(account)) is not None]
        if len(series) == len(ledgers):
            said.books = series

    def learn(self, mark: bytes, data: bytes, head: RequestHead, exchange: Exchange, block: bytes) -> None:
        """``data``, in which ``head`` stands, was answered by ``block`` in ``exchange``, which is over."""
        lasting, answer = exchange.lasting, exchange.said
        if lasting is None or answer is None or answer.body or b"x-request-id" in data.lower():
            return
        place = _place_in(data)
        parts = _parts(mark, data, place)
        target = None if parts is None else plain_target(parts[1])
        if parts is None or target is None or not lasting.stands(answer, target[1], target[2]):
            return
        if self._surroundings.routes is not self._routes:
            self.forget()
        key, page = parts
        try:
            said = Said(head, lasting, answer, block, exchange.account, place, page)
        except ValueError:
            return
        if said.size + len(key) > self._most:
            return
        while self._said and self._size + said.size + len(key) > self._most:
            oldest = next(iter(self._said))
            self._size -= self._said.pop(oldest).size + len(oldest)
        known = self._said.pop(key, None)
        if known is not None:
            self._size -= known.size + len(key)
        self._known.clear()
        self._said[key] = said
        self._size += said.size + len(key)

    def forget(self) -> None:
        """There are other routes."""
        self._routes = self._surroundings.routes
        self._said.clear()
        self._known.clear()
        self._size = 0


def _place_in(data: bytes) -> Place:
    """Where a question that begins like ``data`` names its page."""
    if data.startswith(_ENVOY):
        return _IN_TARGET
    return _IN_URL if data.startswith(_NGINX) else _IN_URI


def _parts(mark: bytes, data: bytes, place: Place) -> tuple[bytes, bytes] | None:
    """``data`` without the page that it asks about, and the page; None when it is not one whole question."""
    if len(data) > _MAX_SIZE or data.find(b"\r\n\r\n") + 4 != len(data):
        return None
    found = place.find(data)
    if found is None:
        return None
    start, end = found.span(1)
    # A zero byte stands in no head: what was before it and what comes after it cannot be mistaken for one another.
    return b"".join((mark, data[:start], b"\0", data[end:])), found[1]
