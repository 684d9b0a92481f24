"""The express lane of one entry point: what was learned about the heads of its clients, and when it may be used.

    bytes ──seen before──────────────────────────────────────────► errand ──still holds──► ride
      └─► block ──seen before──► reading ─┐                          ▲
            └──lines, with blanks──► pattern ──► branch ──path──► trip

A request that finds its trip is taken by a ``Ride`` from the client's bytes to the server's in one go. Everybody else
takes the ordinary way, and when a pattern comes for the second time, ``learn`` sends one such request through the
ordinary code (admission, routing, middlewares) and keeps what became of it. So nothing is decided here: the lane knows
only what the ordinary way has said, about equal bytes, under the same routing table.

What is remembered is bounded, the oldest goes first; a client that never repeats itself costs others nothing but that.
"""

from __future__ import annotations

from doorward.proxy.express.errand import Errand
from doorward.proxy.express.fitness import asks_elsewhere, is_plain, may_ride, regarded_by, rehearse
from doorward.proxy.express.pattern import PatternReader, Sketch
from doorward.proxy.express.trip import NoTrip, Trip
from doorward.proxy.forwarding import Admission
from doorward.proxy.middlewares.forward_auth import ForwardAuthMiddleware
from doorward.proxy.request import ConnectionFacts, Request, SteadyMiddleware
from doorward.proxy.routing import HostRoutes, Route, Routes
from doorward.proxy.surroundings import Surroundings
from doorward.wire.http1.errors import Rejected, UnsafeField
from doorward.wire.http1.limits import Limits
from doorward.wire.http1.request import RequestHead

_MOST_BYTES = 24 << 20
"""What all remembered patterns and readings of an entry point may hold, about."""
_MOST_GLIMPSES = 8192


class Branch:
    """All trips of one pattern: which of them it is depends on the path."""

    __slots__ = ("host", "size", "trips")

    def __init__(self, host: HostRoutes, size: int) -> None:
        self.host = host
        self.trips: dict[int, Trip] = {}
        """By the identity of their routes, which they hold."""
        self.size = size

    def add(self, trip: Trip) -> int:
        """Take up ``trip``, and say how many bytes more that are."""
        known = self.trips.get(id(trip.route))
        more = trip.size - (known.size if known is not None else 0)
        self.trips[id(trip.route)] = trip
        self.size += more
        return more

    def trip(self, path: bytes) -> Trip | None:
        """The trip of a request for ``path``, if it is known."""
        route = self.host.route(path, b"GET")
        return None if route is None else self.trips.get(id(route))


class Reading:
    """What was read in one header block."""

    __slots__ = ("blanks", "branch", "exact", "request_id", "sketch")

    def __init__(
        self,
        branch: Branch,
        blanks: tuple[bytes, ...],
        request_id: bytes,
        sketch: Sketch | None = None,
        exact: bool = False,
    ) -> None:
        self.branch = branch
        self.exact = exact
        """The branch is that of this block alone."""
        self.blanks = blanks
        self.request_id = request_id
        """What the client calls the request; empty: nothing that could be a name."""
        self.sketch = sketch
        """What the next block may be like; None for a reading that was remembered."""


class Lane:
    """See the module."""

    def __init__(self, name: str, surroundings: Surroundings, admission: Admission, limits: Limits) -> None:
        """``name`` is the entry point's."""
        self.surroundings = surroundings
        self._name = name
        self._shut = any(ledger.wants_headers for ledger in surroundings.ledgers)
        """Somebody writes down all header fields of each request: the lane does not know them."""
        self._admission = admission
        self._limits = limits
        self._routes: Routes | None = None
        self._reader = PatternReader(lambda name: True, limits)
        self._readings: dict[bytes, Reading] = {}
        self._branches: dict[bytes, Branch] = {}
        self._errands: dict[bytes, Errand] = {}
        self._riding: dict[int, bool] = {}
        """Which routes can be ridden to, by their identity: the table holds them as long as this does."""
        self._size = 0
        self.age = 0
        """How often everything was forgotten."""
        self._dear: set[int] = set()
        """Hashes of patterns whose requests an auth server elsewhere judges: only whole blocks are worth learning."""
        self._passing = b""
        """The block that was read last, if it is one of those and came for the first time."""
        self._glimpsed: set[int] = set()
        """Hashes of patterns and blocks that came once."""
        self.taken = 0
        """Requests that came and went here."""
        self._leads_anywhere = {False: False, True: False}
        """Whether any router could be on the lane, off TLS and on it."""

    def is_open(self, tls: bool) -> bool:
        """Whether it is worth looking."""
        if self.surroundings.routes is not self._routes:
            self._use(self.surroundings.routes)
        return self._leads_anywhere[tls]

    def admitted(self, head: RequestHead, facts: ConnectionFacts) -> Request:
        """``head`` at the beginning of the ordinary way."""
        return self._admission.admit(head, facts)

    def new_id(self) -> bytes:
        """A name for a request that has none."""
        return self._admission.new_id()

    def errand(self, key: bytes) -> Errand | None:
        """What was learned under ``key``: the mark of a client's facts, and a whole request of one."""
        return self._errands.get(key)

    def remember(self, key: bytes, errand: Errand) -> None:
        """``errand`` is what ``key`` stands for; what comes once only is not remembered."""
        known = self._errands.pop(key, None)
        if known is None and not self._came_before(hash(key)):
            return
        if known is not None:
            self._size -= known.size + len(key)
        errand.fields = {}
        self._errands[key] = errand
        self._size += errand.size + len(key)
        self._shrink()

    def read(self, mark: bytes, block: bytes) -> Reading | None:
        """What is known about ``block``, of a client whose facts have this ``mark``."""
        key = mark + block
        reading = self._readings.get(key)
        if reading is not None:
            return reading
        sketch = self._reader.read(block)
        if sketch is None:
            return None
        branch = self._branches.get(mark + sketch.pattern)
        if branch is None:
            if hash(mark + sketch.pattern) in self._dear and not self._came_before(hash(key)):
                self._passing = block
            return None
        if self._came_before(hash(key)):
            self._find_at_once(key, Reading(branch, sketch.blanks, sketch.request_id))
            self._shrink()
        return Reading(branch, sketch.blanks, sketch.request_id, sketch)

    def read_like(self, last: Reading, data: bytes) -> Reading | None:
        """The same for the whole request ``data``, if it is like the ``last`` one that was read for its client."""
        sketch = last.sketch
        if sketch is None or len(data) > self._reader.max_size:
            return None
        filled = sketch.filled(data.split(b"\r\n"), self._reader.max_cookies)
        return None if filled is None else Reading(last.branch, filled[0], filled[1], sketch)

    def _find_at_once(self, key: bytes, reading: Reading) -> None:
        if key not in self._readings:
            self._size += 2 * len(key)
        self._readings[key] = reading

    def learn(self, mark: bytes, block: bytes, head: RequestHead, facts: ConnectionFacts) -> None:
        """``head``, of this ``block``, went the ordinary way: find out whether others like it need not."""
        if block is self._passing:
            return
        found = self._reader.read(block)
        if found is None or not is_plain(head):
            return
        pattern, blanks, request_id = found.pattern, found.blanks, found.request_id
        try:
            request = self._admission.admit(head, facts)
            host = self.surroundings.routes.host_routes(request)
            route = host.route(head.path, head.method)
            if route is None or not self._may_ride(route, facts):
                return
            if asks_elsewhere(route):
                # Every field may matter there: what a client never repeats needs no rehearsal.
                if self._is_new(mark + pattern) and not self._came_before(hash(mark + block)):
                    return
            elif not self._came_before(hash((mark, pattern, id(route)))):
                return
            checks, toll = rehearse(route, request)
            key, known = mark + pattern, self._readings.get(mark + block)
            exact = toll is not None or (known is not None and known.exact)
            if exact:
                # The auth server is shown more than any of us looks at: only equal blocks are equal to it.
                key, pattern, blanks = b"\0" + mark + block, block, ()
            trip = Trip(pattern, blanks, head, route, checks, request, toll)
        except (NoTrip, Rejected, UnsafeField):
            return
        branch = known.branch if known is not None and known.exact else self._branches.get(key)
        if branch is None:
            branch = self._branches[key] = Branch(host, len(key))
            self._size += branch.size
        self._size += branch.add(trip)
        if exact:
            self._find_at_once(mark + block, Reading(branch, (), request_id, exact=True))
        self._shrink()

    def _may_ride(self, route: Route, facts: ConnectionFacts) -> bool:
        may = self._riding.get(id(route))
        if may is None:
            may = self._riding[id(route)] = may_ride(route)
        return may and (not route.tls_options or route.tls_options == facts.tls_options)

    def _is_new(self, pattern: bytes) -> bool:
        """Whether nothing is known yet of requests of this ``pattern`` that an auth server elsewhere judges; it is
        known then."""
        if hash(pattern) in self._dear:
            return False
        if len(self._dear) >= _MOST_GLIMPSES:
            self._dear.clear()
        self._dear.add(hash(pattern))
        return True

    def _came_before(self, glimpse: int) -> bool:
        """Whether something with this hash came lately. What comes once only is not worth remembering."""
        if glimpse in self._glimpsed:
            return True
        if len(self._glimpsed) >= _MOST_GLIMPSES:
            self._glimpsed.clear()
        self._glimpsed.add(glimpse)
        return False

    def _shrink(self) -> None:
        while self._size > _MOST_BYTES and self._branches:
            self._size -= self._branches.pop(next(iter(self._branches))).size
            if self._errands:
                oldest = next(iter(self._errands))
                self._size -= self._errands.pop(oldest).size + len(oldest)
            if self._readings:
                self._size -= 2 * len(oldest := next(iter(self._readings)))
                del self._readings[oldest]

    def forget(self) -> None:
        """There are other routes: nothing that was learned holds, and nothing of the old ones need be kept."""
        self._routes = None
        self._reader = PatternReader(lambda name: True, self._limits)
        self.age += 1
        self._errands.clear()
        self._readings.clear()
        self._branches.clear()
        self._glimpsed.clear()
        self._dear.clear()
        self._riding.clear()
        self._size = 0

    def _use(self, routes: Routes) -> None:
        """Learn under these routes from now on."""
        self.forget()
        self._routes = routes
        steady: dict[int, SteadyMiddleware] = {}
        for tls in (False, True):
            # Ten thousand routers have few chains of middlewares, and few services, between them.
            kinds = {(id(each.middlewares), id(each.service)): each for each in routes.at(self._name, tls=tls)}
            riding = [route for route in kinds.values() if may_ride(route)]
            self._leads_anywhere[tls] = bool(riding) and not self._shut
            # Where a toll is paid nothing is blank.
            steady |= {
                id(each): each
                for route in riding
                for each in route.middlewares
                if isinstance(each, SteadyMiddleware) and not (isinstance(each, ForwardAuthMiddleware) and each.asks)
            }
        self._reader = PatternReader(regarded_by(steady.values()), self._limits)
