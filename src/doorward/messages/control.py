"""The control channel: a Unix stream socket between the control process and each worker.

Frames are a 4-byte big-endian length and the MessagePack form of one of these. The worker connects, says ``Hello``
and is sent the whole state; after that only what changed. A worker that loses the channel keeps serving with what
it knows and connects again.
"""

from __future__ import annotations

from msgspec import Struct

from doorward.messages.decisions import ChainTried, Decided, TryChain
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.routing import RoutingTable

# control → worker


class UseRoutingTable(Struct, frozen=True, tag=True):
    table: RoutingTable


class UseOutposts(Struct, frozen=True, tag=True):
    configuration: OutpostConfiguration


class SessionsEnded(Struct, frozen=True, tag=True):
    """Forget these sessions now and cut what is open on them."""

    id_hashes: tuple[bytes, ...]
    all: bool = False
    position: int = 0
    """Place in the change log up to which this is complete."""


class ServerHealth(Struct, frozen=True):
    """One server of one load balancer."""

    service: str
    url: str
    up: bool
    """What the last check found."""


class ServerRest(Struct, frozen=True):
    """One server that has failed too often: nobody asks it for ``seconds`` from now on."""

    service: str
    url: str
    seconds: float


class ServersHealth(Struct, frozen=True, tag=True):
    """What is known, or what has changed. Of a server that is not named the worker keeps what it knows; in the
    beginning every server is up."""

    checked: tuple[ServerHealth, ...] = ()
    resting: tuple[ServerRest, ...] = ()


class IdentityReadiness(Struct, frozen=True, tag=True):
    ready: bool


class MetricsText(Struct, frozen=True, tag=True):
    """Answer to ``MetricsWanted``: the sum over all workers, in Prometheus' text format."""

    text: bytes


class ApiAnswer(Struct, frozen=True, tag=True):
    """Answer to ``ApiQuestion`` of the same number."""

    ticket: int
    status: int
    content_type: str
    body: bytes
    next_page: int = 0
    """Of a list: number of its next page, 1 when there is none; 0 for what is no list."""


class AllKnow(Struct, frozen=True, tag=True):
    """Answer to ``WhenAllKnow`` of the same number."""

    number: int


ToWorker = (
    UseRoutingTable
    | UseOutposts
    | SessionsEnded
    | ServersHealth
    | IdentityReadiness
    | MetricsText
    | ApiAnswer
    | AllKnow
    | TryChain
)

# worker → control


class Hello(Struct, frozen=True, tag=True):
    pid: int
    worker: int
    position: int = -1
    """Place in the change log up to which it knows which sessions ended; -1 when it knows no session at all."""


class TableInUse(Struct, frozen=True, tag=True):
    version: int


class Counters(Struct, frozen=True, tag=True):
    """Everything counted since the previous ``Counters`` of this worker, and the gauges as they are now."""

    counters: dict[str, float]
    gauges: dict[str, float]


class MetricsWanted(Struct, frozen=True, tag=True):
    pass


class ApiQuestion(Struct, frozen=True, tag=True):
    """A GET of ``api@internal``."""

    ticket: int
    """The worker's own count of such questions."""
    path: str
    """Canonical, still with its escapes."""
    query: str


class ServerFailed(Struct, frozen=True, tag=True):
    """A server with a passive health check was not reached, or answered 500 or more."""

    service: str
    url: str


class SessionsForgotten(Struct, frozen=True, tag=True):
    """The worker remembers no session any more that ended up to this place in the change log."""

    position: int


class WhenAllKnow(Struct, frozen=True, tag=True):
    """The worker waits until every worker has forgotten the sessions that have ended by now."""

    number: int
    """Its own count of such questions."""


FromWorker = (
    Hello
    | TableInUse
    | Counters
    | MetricsWanted
    | ApiQuestion
    | ServerFailed
    | SessionsForgotten
    | WhenAllKnow
    | Decided
    | ChainTried
)
