"""One request's errand: where it goes (its trip), for which page, and with what in the blanks.

A browser that asks for the same page with the same head again is on the same errand. What comes again is remembered
under its bytes, so that nothing in it has to be read a second time, and keeps what it is going to need again.
"""

from __future__ import annotations

from doorward.proxy.express.trip import Trip
from doorward.proxy.services.server import Server
from doorward.proxy.upstream_head import NAMED
from doorward.wire.http1.request import RequestHead

_NAMED = b" HTTP/1.1" + NAMED


class Errand:
    """See the module."""

    __slots__ = ("blanks", "fields", "path", "query", "request_id", "target", "trip")

    def __init__(
        self,
        trip: Trip,
        target: bytes,
        path: bytes,
        query: bytes | None,
        blanks: tuple[bytes, ...],
        request_id: bytes,
    ) -> None:
        """``request_id`` is what the client calls it; empty: nothing that could be a name."""
        self.trip = trip
        self.target = target
        self.path = path
        self.query = query
        self.blanks = blanks
        self.request_id = request_id if trip.trusted else b""
        self.fields: dict[Server, bytes] | None = None
        """What follows the request's name on the way to each server; None: it is not remembered, and keeps nothing."""

    def may_begin(self) -> bool:
        """Whether it would be let pass as the first one of its kind was."""
        return self.trip.may_begin(self.path, self.query)

    def message(self, name: bytes, server: Server) -> bytes:
        """The whole request, called ``name``, as ``server`` gets it."""
        fields = None if self.fields is None else self.fields.get(server)
        if fields is None:
            fields = self.trip.fields(server, self.blanks)
            if self.fields is not None:
                self.fields[server] = fields
        return b"".join((b"GET ", self.target, _NAMED, name, fields))

    @property
    def size(self) -> int:
        """Bytes that it holds when it is remembered, about, without its key."""
        return 1024 + self.trip.size


class HeadErrands:
    """What the heads of one connection of HTTP/2 stand for. A head that comes again is the very same object there
    (``wire.http2.head_reader``), so that its identity is enough; an entry holds its head, and no other one can have the
    same identity meanwhile."""

    __slots__ = ("_age", "_errands")

    _MOST = 32

    def __init__(self) -> None:
        self._age = 0
        self._errands: dict[int, tuple[RequestHead, Errand]] = {}

    def find(self, head: RequestHead, age: int) -> Errand | None:
        """What is known about ``head`` while the lane has this ``age``."""
        if age != self._age:
            self.forget()
            self._age = age
        known = self._errands.get(id(head))
        return None if known is None else known[1]

    def keep(self, head: RequestHead, errand: Errand) -> None:
        """``errand`` is that of ``head``, as of the last ``find``."""
        if len(self._errands) >= self._MOST:
            self._errands.clear()
        self._errands[id(head)] = head, errand

    def forget(self) -> None:
        """Nothing is expected soon."""
        self._errands.clear()
