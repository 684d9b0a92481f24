"""A request under way on the express lane, and how it leaves the lane.

The lane knows the plain case only: the response comes whole and one like it was seen before. Whatever else happens (a
response in pieces, a new response head, a failure, a client that leaves) is no business of the lane: ``_leave`` makes
the exchange that the ordinary way would have made, in the state in which it would be now, and the ordinary way goes on
from there.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import structs

from doorward.messages.http import Header
from doorward.net.asking import Asking
from doorward.net.upstream import UpstreamConnection, UpstreamError
from doorward.proxy.downstream import Downstream
from doorward.proxy.exchange import Exchange
from doorward.proxy.express.errand import Errand
from doorward.proxy.express.lane import Lane
from doorward.proxy.relay import Relay
from doorward.proxy.request import ConnectionFacts
from doorward.proxy.services.server import Server
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.response import ReceivedHead


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


class Traveller:
    """See the module. The ``Receiver`` of a response."""

    __slots__ = (
        "_asking",
        "_begun_at",
        "_client",
        "_data",
        "_errand",
        "_facts",
        "_head",
        "_lane",
        "_name",
        "_sent_at",
        "_server",
        "_started_at",
        "_trailers",
        "_upstream",
    )

    _errand: Errand
    _name: bytes
    """What the request is called."""
    _server: Server
    _upstream: UpstreamConnection
    _begun_at: float
    """Monotonic seconds; ``_started_at`` is the same moment in Unix seconds."""
    _started_at: float
    _sent_at: float
    """When the server was asked: the same, unless an auth server was asked first."""

    def __init__(self, lane: Lane, client: Passenger, facts: ConnectionFacts) -> None:
        self._lane = lane
        self._client = client
        self._facts = facts
        self._asking: Asking | None = None
        """While an auth server is asked: nothing has gone to the server yet."""
        self._head: ReceivedHead | None = None
        self._data = b""
        self._trailers: tuple[Header, ...] = ()

    # --- what happens to the response ---

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
            self._errand.trip.keep_answer(head, block)

    def response_failed(self, error: UpstreamError) -> None:
        self._head, self._data, self._trailers = None, b"", ()
        self._leave(self._upstream).response_failed(error)

    def upstream_full(self) -> None:
        self._leave_waiting().upstream_full()

    def upstream_ready(self) -> None:
        """Nobody was told to wait."""

    # --- what happens to the client and its session ---

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
        return self._errand.trip.session

    # --- the ordinary way ---

    def _leave_waiting(self) -> Relay:
        relay = self._leave(self._upstream)
        self._upstream.hand_to(relay)
        return relay

    def _leave(self, upstream: UpstreamConnection | None) -> Relay:
        """The exchange and the relay of the ordinary way, in the state in which they would be; ``upstream`` is the
        connection that they wait for."""
        self._lane.surroundings.sessions.riding.discard(self)
        exchange = self._exchange()
        relay = Relay(exchange, self._errand.trip.balancer, self._server)
        relay.go_on(upstream, self._sent_at)
        self._client.ride_left(self._own_head(), exchange)
        return relay

    def _exchange(self) -> Exchange:
        errand, trip = self._errand, self._errand.trip
        line = (errand.target, errand.path, errand.query)
        request = trip.request(self._name, self._facts, line, errand.blanks)
        exchange = Exchange(self._lane.surroundings, self._client, request, errand.target)
        exchange.go_on(trip.route, self._begun_at, self._started_at)
        return exchange

    def _own_head(self) -> RequestHead:
        errand = self._errand
        return structs.replace(errand.trip.head, target=errand.target, path=errand.path, query=errand.query)

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
