"""One request on the express lane: from the client's bytes to the server's in one go, and back in another.

A client connection has one ride, which it uses for one request after the other. A ride knows the plain case only: the
head is known, a kept connection to the server is ready, the response comes whole and one like it was seen before.
Whatever else happens (a response in pieces, a new response head, a failure, a client that leaves) is no business of
the lane: ``_leave_lane`` makes the exchange that the ordinary way would have made, in the state in which it would be
now, and the ordinary way goes on from there.
"""

from __future__ import annotations

import time
from typing import Protocol

from msgspec import structs

from doorward.messages.http import Header
from doorward.net.asking import Asking
from doorward.net.upstream import UpstreamConnection, UpstreamError
from doorward.proxy.downstream import Downstream
from doorward.proxy.exchange import Exchange
from doorward.proxy.express.lane import Lane, Reading
from doorward.proxy.express.trip import Trip
from doorward.proxy.middlewares.inquiry import Toll
from doorward.proxy.relay import Relay
from doorward.proxy.request import Asked, ConnectionFacts
from doorward.proxy.services.server import Server
from doorward.proxy.upstream_head import NAMED
from doorward.wire.http1.plain_request import plain_line, plain_target
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.response import ReceivedHead

_NAMED = b" HTTP/1.1" + NAMED
_AUTHORITY = b"@:"
"""Begins the block of a head of HTTP/2. No field has such a name, so nobody may begin one of HTTP/1 with it."""


class Passenger(Downstream, Protocol):
    """The client of a ride: a connection, or a stream of one."""

    @property
    def answered(self) -> bytes:
        """The head of the response that was begun last, as it was written."""
        ...

    @property
    def leaving(self) -> bool:
        """This response is to be the last on its connection, and has to say so."""
        ...

    def ride_over(self, head: bytes, body: bytes) -> None:
        """The whole response; ``head`` was ``answered`` before."""

    def ride_left(self, head: RequestHead, exchange: Exchange) -> None:
        """``exchange`` goes on with the request."""


class Ride:
    """See the module. The ``Receiver`` of the response."""

    __slots__ = (
        "_asking",
        "_begun_at",
        "_blanks",
        "_client",
        "_data",
        "_facts",
        "_head",
        "_lane",
        "_line",
        "_mark",
        "_name",
        "_reading",
        "_sent_at",
        "_server",
        "_started_at",
        "_trailers",
        "_trip",
        "_unknown",
        "_upstream",
    )

    _line: tuple[bytes, bytes, bytes | None]
    """Target, path, query."""
    _name: bytes
    """What the request is called."""
    _trip: Trip
    _server: Server
    _upstream: UpstreamConnection
    _blanks: tuple[bytes, ...]
    _begun_at: float
    """Monotonic seconds; ``_started_at`` is the same moment in Unix seconds."""
    _started_at: float
    _sent_at: float
    """When the server was asked: the same, unless an auth server was asked first."""

    def __init__(self, lane: Lane, client: Passenger, facts: ConnectionFacts, mark: bytes) -> None:
        """``mark`` is what stands for ``facts`` (``mark_of``)."""
        self._lane = lane
        self._client = client
        self._facts = facts
        self._mark = mark
        self._asking: Asking | None = None
        """While an auth server is asked: nothing has gone to the server yet."""
        self._unknown = b""
        """A header block that may be worth learning."""
        self._head: ReceivedHead | None = None
        self._data = b""
        self._trailers: tuple[Header, ...] = ()

    # --- the request ---

    def begin(self, data: bytes) -> bool:
        """Take up the request that ``data`` is. False: it is not exactly one, or must take the ordinary way."""
        self._unknown = b""
        end = data.find(b"\r\n\r\n")
        if end < 0 or end + 4 != len(data) or not self._lane.is_open(self._facts.tls):
            return False
        line = plain_line(data)
        if line is None or data.startswith(_AUTHORITY, line.end()):
            return False
        target, path, query = line.groups()
        return self._find(data[line.end() : end], target, path, query)

    def begin_head(self, head: RequestHead) -> bool:
        """The same for a request without a body whose head came otherwise than as these bytes."""
        if head.method != b"GET" or not self._lane.is_open(self._facts.tls):
            return False
        target = plain_target(head.target)
        if target is None:
            return False
        lines = [name + b": " + value for name, value in head.headers]
        return self._find(b"\r\n".join((_AUTHORITY + head.authority, *lines)), head.target, target[1], target[2])

    def _find(self, block: bytes, target: bytes, path: bytes, query: bytes | None) -> bool:
        """Find the trip, and begin it if it still holds."""
        reading = self._lane.read(self._mark, block)
        trip = None if reading is None else reading.branch.trip(path)
        if reading is None or trip is None or not trip.may_begin(path, query):
            self._unknown = block
            return False
        self._line = (target, path, query)
        self._trip = trip
        self._blanks = reading.blanks
        self._started_at = time.time()
        self._begun_at = self._sent_at = time.perf_counter()
        if trip.toll is not None:
            return self._pay(trip.toll, reading)
        return self._board(trip, self._lane.name_of(reading, trip))

    def _board(self, trip: Trip, name: bytes) -> bool:
        """Send the request, if there is somebody to send it to at once."""
        server = trip.balancer.take_turn()
        if server is None:
            return False
        upstream = server.pool.take_http1()
        if upstream is None:
            trip.balancer.put_back(server)
            return False
        self._server = server
        self._upstream = upstream
        self._lane.surroundings.sessions.riding.add(self)
        self._name = name
        message = b"".join((b"GET ", self._line[0], _NAMED, name, trip.fields(server, self._blanks)))
        upstream.ask_plainly(self, message)
        return True

    @property
    def head(self) -> RequestHead:
        """A head like that of the request, but for what stands in the blanks and on the request line."""
        return self._trip.head

    def take_unknown(self) -> bytes:
        """The header block that ``begin`` did not know, once; empty: there is none."""
        block, self._unknown = self._unknown, b""
        return block

    def learn(self, block: bytes, head: RequestHead) -> None:
        """``head`` is what ``begin`` did not take, and ``block`` what it did not know of it (``take_unknown``)."""
        if block:
            self._lane.learn(self._mark, block, head, self._facts)

    # --- the toll ---

    def _pay(self, toll: Toll, reading: Reading) -> bool:
        """Ask the auth server, if it can be asked at once."""
        self._name = name = self._lane.name_of(reading, self._trip)
        self._asking = toll.ask(self._line[0], name, self)
        return self._asking is not None

    def answered(self, head: ReceivedHead, body: bytes) -> None:
        """The auth server's answer (``net.asking``)."""
        self._asking = None
        trip = self._trip
        assert trip.toll is not None
        if trip.toll.passes(head, body):
            self._sent_at = time.perf_counter()
            if self._board(trip, self._name):
                return
        self._go_ordinary(trip.toll.asked(head, body))

    def unanswered(self, error: Exception) -> None:
        """There is none."""
        self._asking = None
        assert self._trip.toll is not None
        self._go_ordinary(self._trip.toll.asked(error, b""))

    def _go_ordinary(self, asked: Asked) -> None:
        """With what the auth server has said, which is not asked twice."""
        head = self._own_head()
        request = self._lane.admitted(head, self._facts)
        request.id, request.asked = self._name, asked
        exchange = Exchange(self._lane.surroundings, self._client, request, self._line[0])
        exchange.account.started, exchange.account.started_at = self._begun_at, self._started_at
        self._client.ride_left(head, exchange)
        exchange.begin()

    # --- the response ---

    def response_whole(self, head: ReceivedHead, body: bytes) -> None:
        block = self._trip.answer_to(head)
        if block is None or self._client.leaving:
            self._end_elsewhere(head, body, ())
            return
        self._lane.surroundings.sessions.riding.discard(self)
        self._close_account(head.status, len(body))
        self._client.ride_over(block, body)

    def _close_account(self, status: int, sent: int) -> None:
        account = self._trip.account
        account.request_id = self._name
        account.connection = self._facts
        account.target = self._line[0]
        account.server = self._server.url
        account.started = self._begun_at
        account.started_at = self._started_at
        account.status = account.origin_status = status
        account.sent = sent
        now = time.perf_counter()
        account.seconds, account.origin_seconds = now - self._begun_at, now - self._sent_at
        for ledger in self._lane.surroundings.ledgers:
            ledger.record(account)

    # --- what the ordinary way is for ---

    def response_started(self, head: ReceivedHead) -> None:
        if head.status < 200:
            self._leave_waiting().response_started(head)
        else:
            self._head = head

    def response_data(self, data: bytes) -> None:
        self._data = data

    def response_trailers(self, trailers: tuple[Header, ...]) -> None:
        self._trailers = trailers

    def response_flush(self) -> None:
        """The response comes in pieces."""
        head, data, _ = self._taken()
        relay = self._leave_waiting()
        relay.response_started(head)
        if data and not relay.over:
            relay.response_data(data)
        if not relay.over:
            relay.response_flush()

    def response_ended(self) -> None:
        self._end_elsewhere(*self._taken())

    def _end_elsewhere(self, head: ReceivedHead, data: bytes, trailers: tuple[Header, ...]) -> None:
        """The response is here, and how the client is to be told has to be worked out."""
        relay = self._leave(None)
        relay.response_started(head)
        block = self._client.answered
        if relay.over:
            return
        if data:
            relay.response_data(data)
        if trailers:
            relay.response_trailers(trailers)
        relay.response_ended()
        if not self._client.leaving and _can_be_repeated(head):
            self._trip.keep_answer(head, block)

    def response_failed(self, error: UpstreamError) -> None:
        self._head, self._data, self._trailers = None, b"", ()
        self._leave(self._upstream).response_failed(error)

    def upstream_full(self) -> None:
        self._leave_waiting().upstream_full()

    def upstream_ready(self) -> None:
        """Nobody was told to wait."""

    def leave(self) -> None:
        """Let the ordinary way wait for the response: something happens to the client or its session."""
        if self._asking is None:
            self._leave_waiting()
            return
        self._asking.cancel()
        self._asking = None
        self._client.ride_left(self._own_head(), self._exchange())

    def session_ended(self) -> None:
        self._leave_waiting().session_ended()

    @property
    def session(self) -> bytes:
        """The id_hash of the proxy session on which it rides."""
        return self._trip.session

    def _leave_waiting(self) -> Relay:
        relay = self._leave(self._upstream)
        self._upstream.hand_to(relay)
        return relay

    def _leave(self, upstream: UpstreamConnection | None) -> Relay:
        """The exchange and the relay of the ordinary way, in the state in which they would be; ``upstream`` is the
        connection that they wait for."""
        self._lane.surroundings.sessions.riding.discard(self)
        exchange = self._exchange()
        relay = Relay(exchange, self._trip.balancer, self._server)
        relay.go_on(upstream, self._sent_at)
        self._client.ride_left(self._own_head(), exchange)
        return relay

    def _exchange(self) -> Exchange:
        request = self._trip.request(self._name, self._facts, self._line, self._blanks)
        exchange = Exchange(self._lane.surroundings, self._client, request, self._line[0])
        exchange.go_on(self._trip.route, self._begun_at, self._started_at)
        return exchange

    def _own_head(self) -> RequestHead:
        target, path, query = self._line
        return structs.replace(self._trip.head, target=target, path=path, query=query)

    def _taken(self) -> tuple[ReceivedHead, bytes, tuple[Header, ...]]:
        """What came of the response, which is somebody else's now."""
        head, data, trailers = self._head, self._data, self._trailers
        self._head, self._data, self._trailers = None, b"", ()
        assert head is not None
        return head, data, trailers


def _can_be_repeated(head: ReceivedHead) -> bool:
    """The same head may be told in the same words again: it is dated, has a length, and sets no cookie."""
    names = {name.lower() for name, _ in head.headers}
    return head.status < 400 and head.length is not None and b"date" in names and b"set-cookie" not in names
