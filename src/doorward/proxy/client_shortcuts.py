"""The shortcuts of a client's HTTP/1.1 connection: the desk answers from memory, and the express lane takes a request
from the client's bytes to the server's in one go."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from doorward.proxy.client_endings import OPEN, RIDING
from doorward.proxy.client_responses import RespondingConnection
from doorward.proxy.exchange import Exchange
from doorward.proxy.express.fitness import mark_of
from doorward.proxy.express.ride import Ride
from doorward.proxy.stall import Stall
from doorward.wire.http1.request import RequestHead

if TYPE_CHECKING:
    from doorward.proxy.entry_point import EntryPointServer


class RidingConnection(RespondingConnection):
    """The ``Passenger`` of its ride."""

    __slots__ = ("_asked", "_begun", "_head_due", "_mark", "_ride", "_stall")

    def __init__(self, entry: EntryPointServer) -> None:
        super().__init__(entry)
        self._begun = False
        """It was HTTP/1 from its first byte on."""
        self._head_due = True
        """The deadline is that of a head; on a fresh connection it runs from the start."""
        self._stall: Stall | None = None
        self._ride: Ride | None = None
        self._mark = b""
        self._asked = b""
        """What the reader was given last, while it may be a question that the desk can learn."""

    def _is_told(self, data: bytes) -> bool:
        """``data`` asks what the desk has an answer to."""
        if self._old is not None or self._entry.draining:
            return False
        told = self._entry.desk.answer(self._facts, self._mark or self._own_mark(), data)
        if told is None:
            self._asked = data
            return False
        self._begun = True
        self.head, message = told
        self._transport.write(message)
        self._head_due = False
        self._wait_for_next()
        return True

    def _own_mark(self) -> bytes:
        self._mark = mark_of(self._facts)
        return self._mark

    def _rides(self, data: bytes) -> bool:
        """``data``, with which a request begins, is taken by the express lane."""
        ride = self._ride
        if ride is None:
            if self._old is not None or self._entry.draining:
                return False
            ride = self._ride = Ride(self._entry.lane, self, self._facts, self._mark or self._own_mark())
        self._state = RIDING
        if ride.begin(data):
            self._asked = b""
            self._begun = True
            self.head = ride.head
            self._head_due = False
            self._deadline = inf
            return True
        self._state = OPEN
        return False

    @property
    def answered(self) -> bytes:
        return self._response.head

    @property
    def leaving(self) -> bool:
        return self._entry.draining

    def ride_over(self, head: bytes, body: bytes) -> None:
        self._transport.write(head + body)
        self._state = OPEN
        self._wait_for_next()

    def ride_left(self, head: RequestHead, exchange: Exchange) -> None:
        self._state = OPEN
        self.head = head
        self._continued = False
        self._exchange = exchange
        if self._stall is not None:
            exchange.client_full()

    def _leave_lane(self) -> None:
        if self._state is RIDING and self._ride is not None:
            self._ride.leave()
