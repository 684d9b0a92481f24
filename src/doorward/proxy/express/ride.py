"""One request on the express lane: from the client's bytes to the server's in one go, and back in another.

A client connection has one ride, which it uses for one request after the other. A ride knows the plain case only: the
head is known, a kept connection to the server is ready, the response comes whole and one like it was seen before.
Everything else is the ordinary way's (``traveller``).
"""

from __future__ import annotations

import time

from doorward.proxy.exchange import Exchange
from doorward.proxy.express.errand import Errand, HeadErrands
from doorward.proxy.express.lane import Lane, Reading
from doorward.proxy.express.traveller import Passenger, Traveller
from doorward.proxy.middlewares.inquiry import Toll
from doorward.proxy.request import Asked, ConnectionFacts
from doorward.wire.http1.plain_request import plain_line, plain_target
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.response import ReceivedHead

_AUTHORITY = b"@:"
"""Begins the block of a head of HTTP/2. No field has such a name, so nobody may begin one of HTTP/1 with it."""


class Ride(Traveller):
    """See the module."""

    __slots__ = ("_last", "_last_age", "_mark", "_unknown")

    def __init__(self, lane: Lane, client: Passenger, facts: ConnectionFacts, mark: bytes) -> None:
        """``mark`` is what stands for ``facts`` (``mark_of``)."""
        super().__init__(lane, client, facts)
        self._mark = mark
        self._unknown = b""
        """A header block that may be worth learning."""
        self._last: Reading | None = None
        """What was read last, and how old the lane was then."""
        self._last_age = 0

    # --- the request ---

    def begin(self, data: bytes) -> bool:
        """Take up the request that ``data`` is. False: it is not exactly one, or must take the ordinary way."""
        self._unknown = b""
        lane = self._lane
        if not lane.is_open(self._facts.tls):
            return False
        key = self._mark + data
        errand = lane.errand(key)
        if errand is not None and errand.may_begin():
            return self._set_out(errand)
        errand = self._read(data)
        if errand is None:
            return False
        lane.remember(key, errand)
        return self._set_out(errand)

    def begin_head(self, head: RequestHead, errands: HeadErrands) -> bool:
        """The same for a request without a body whose head came otherwise than as these bytes; ``errands`` are those
        of its connection."""
        self._unknown = b""
        lane = self._lane
        if head.method != b"GET" or not lane.is_open(self._facts.tls):
            return False
        errand = errands.find(head, lane.age)
        if errand is not None and errand.may_begin():
            return self._set_out(errand)
        target = plain_target(head.target)
        if target is None:
            return False
        lines = [name + b": " + value for name, value in head.headers]
        block = b"\r\n".join((_AUTHORITY + head.authority, *lines))
        errand = self._find(block, head.target, target[1], target[2])
        if errand is None:
            return False
        errands.keep(head, errand)
        return self._set_out(errand)

    def _read(self, data: bytes) -> Errand | None:
        """The errand of the request that ``data`` is, if that is known and may begin."""
        line = plain_line(data)
        if line is None:
            return None
        target, path, query = line.groups()
        last, self._last = self._last, None
        if last is not None and self._last_age == self._lane.age:
            reading = self._lane.read_like(last, data)
            errand = None if reading is None else self._errand_of(reading, target, path, query)
            if errand is not None:
                self._last = last
                return errand
        end = data.find(b"\r\n\r\n")
        start = line.end()
        if end < start or end + 4 != len(data) or data.startswith(_AUTHORITY, start):
            return None
        return self._find(data[start:end], target, path, query)

    def _find(self, block: bytes, target: bytes, path: bytes, query: bytes | None) -> Errand | None:
        """The errand for this page of a request with this header block, if that is known and may begin."""
        reading = self._lane.read(self._mark, block)
        errand = None if reading is None else self._errand_of(reading, target, path, query)
        if errand is None:
            self._unknown = block
            return None
        self._last, self._last_age = reading, self._lane.age
        return errand

    def _errand_of(self, reading: Reading, target: bytes, path: bytes, query: bytes | None) -> Errand | None:
        trip = reading.branch.trip(path)
        if trip is None or not trip.may_begin(path, query):
            return None
        return Errand(trip, target, path, query, reading.blanks, reading.request_id)

    def _set_out(self, errand: Errand) -> bool:
        """Begin. False: there is nobody who could be asked at once."""
        self._errand = errand
        self._name = errand.request_id or self._lane.new_id()
        self._started_at = time.time()
        self._begun_at = self._sent_at = time.perf_counter()
        toll = errand.trip.toll
        return self._board() if toll is None else self._pay(toll)

    def _board(self) -> bool:
        """Send the request, if there is somebody to send it to at once."""
        balancer = self._errand.trip.balancer
        server = balancer.take_turn()
        if server is None:
            return False
        upstream = server.pool.take_http1()
        if upstream is None:
            balancer.put_back(server)
            return False
        self._server = server
        self._upstream = upstream
        self._lane.surroundings.sessions.riding.add(self)
        upstream.ask_plainly(self, self._errand.message(self._name, server))
        return True

    @property
    def head(self) -> RequestHead:
        """A head like that of the request, but for what stands in the blanks and on the request line."""
        return self._errand.trip.head

    def take_unknown(self) -> bytes:
        """The header block that ``begin`` did not know, once; empty: there is none."""
        block, self._unknown = self._unknown, b""
        return block

    def learn(self, block: bytes, head: RequestHead) -> None:
        """``head`` is what ``begin`` did not take, and ``block`` what it did not know of it (``take_unknown``)."""
        if block:
            self._lane.learn(self._mark, block, head, self._facts)

    # --- the toll ---

    def _pay(self, toll: Toll) -> bool:
        """Ask the auth server, if it can be asked at once."""
        self._asking = toll.ask(self._errand.target, self._name, self)
        return self._asking is not None

    def answered(self, head: ReceivedHead, body: bytes) -> None:
        """The auth server's answer (``net.asking``)."""
        self._asking = None
        toll = self._errand.trip.toll
        assert toll is not None
        if toll.passes(head, body):
            self._sent_at = time.perf_counter()
            if self._board():
                return
        self._go_ordinary(toll.asked(head, body))

    def unanswered(self, error: Exception) -> None:
        """There is none."""
        self._asking = None
        toll = self._errand.trip.toll
        assert toll is not None
        self._go_ordinary(toll.asked(error, b""))

    def _go_ordinary(self, asked: Asked) -> None:
        """With what the auth server has said, which is not asked twice."""
        head = self._own_head()
        request = self._lane.admitted(head, self._facts)
        request.id, request.asked = self._name, asked
        exchange = Exchange(self._lane.surroundings, self._client, request, self._errand.target)
        exchange.account.started, exchange.account.started_at = self._begun_at, self._started_at
        self._client.ride_left(head, exchange)
        exchange.begin()

    # --- the response ---

    def response_whole(self, head: ReceivedHead, body: bytes) -> None:
        block = self._errand.trip.answer_to(head)
        if block is None or self._client.leaving:
            self._end_elsewhere(head, body, ())
            return
        self._lane.taken += 1
        self._lane.surroundings.sessions.riding.discard(self)
        self._close_account(head.status, len(body))
        self._client.ride_over(block, body)

    def _close_account(self, status: int, sent: int) -> None:
        seconds = time.perf_counter() - self._begun_at
        books = self._errand.trip.books[self._server].get(status)
        if books is None:
            self._open_account(status, sent, seconds)
            return
        for series in books:
            series.add(self._errand.target, self._started_at, seconds, sent)

    def _open_account(self, status: int, sent: int, seconds: float) -> None:
        """Have everything written down; whoever keeps books may open a series for others like this."""
        errand, ledgers = self._errand, self._lane.surroundings.ledgers
        account = errand.trip.account
        account.request_id = self._name
        account.connection = self._facts
        account.target = errand.target
        account.server = self._server.url
        account.started = self._begun_at
        account.started_at = self._started_at
        account.status = account.origin_status = status
        account.sent = sent
        account.seconds, account.origin_seconds = seconds, seconds - (self._sent_at - self._begun_at)
        for ledger in ledgers:
            ledger.record(account)
        series = [each for ledger in ledgers if (each := ledger.series(account)) is not None]
        if series and len(series) == len(ledgers):
            errand.trip.books[self._server][status] = series
