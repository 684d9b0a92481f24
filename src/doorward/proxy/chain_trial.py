"""One request through this worker's own chain, with an echo where the application would be.

Everything is the real thing: the parser, what the entry point takes out and puts in, the router, its middlewares and
what is written onwards. Only the client is none, and the service is one that notes what it would have sent. Neither
log nor metrics hear of it, and no application does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec.structs import replace

from doorward.messages import routing as messages
from doorward.messages.entry_points import EntryPoint
from doorward.messages.http import Header, HttpAnswer
from doorward.proxy.downstream import BodyReceiver, TunnelEnd
from doorward.proxy.exchange import Exchange
from doorward.proxy.forwarding import Admission
from doorward.proxy.request import ConnectionFacts, Request
from doorward.proxy.routing import Route, Routes
from doorward.proxy.surroundings import Surroundings
from doorward.proxy.upstream_head import onward_fields
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.limits import Limits
from doorward.wire.http1.request import RequestHead
from doorward.wire.http1.request_reader import RequestReader
from doorward.wire.http1.write import BlockMemory

if TYPE_CHECKING:
    from collections.abc import Iterable

PEER = "203.0.113.7"
"""An address of nobody's (RFC 5737): a client from outside whom no entry point trusts by name."""
PATIENCE = 5.0
"""Seconds for one request."""


@dataclass(slots=True)
class Tried:
    """What came of it. ``status`` is 0 when no router answers."""

    reached: bool = False
    status: int = 0
    router: str = ""
    service: str = ""
    entry_point: str = ""
    answer: list[Header] = field(default_factory=list)
    target: bytes = b""
    received: list[Header] = field(default_factory=list)
    """What the application would have received, in order."""


async def try_request(routes: Routes, entry_points: Iterable[EntryPoint], raw: bytes, *, tls: bool) -> Tried:
    """Send ``raw`` (one complete request head) to the first entry point with a router for it, one of the wanted kind
    (``tls``) first. Raises ValueError for what is no request."""
    sides = [(each, with_tls) for with_tls in (tls, not tls) for each in entry_points]
    for entry_point, with_tls in sides:
        if not routes.has(entry_point.name, tls=with_tls):
            continue
        try:
            head = _parsed(raw, entry_point, with_tls)
            request = Admission(entry_point).admit(head, ConnectionFacts(PEER, entry_point.port, with_tls))
            request.connection = None  # whatever handshake the router asks for: this client has made it
            route = routes.match(request)
        except Rejected as rejected:
            return Tried(status=rejected.status, entry_point=entry_point.name)
        if route is not None:
            return await _run(routes, route, entry_point, head, request)
    return Tried()


def _parsed(raw: bytes, entry_point: EntryPoint, tls: bool) -> RequestHead:
    reader = RequestReader(Limits(header=entry_point.max_header_bytes), tls)
    reader.feed(raw)
    head = reader.next_head()
    if head is None or head.websocket or head.body_length != 0:
        raise ValueError("not one complete request head without a body")
    return head


async def _run(routes: Routes, route: Route, entry_point: EntryPoint, head: RequestHead, request: Request) -> Tried:
    tried = Tried(router=route.name, service=route.service_name, entry_point=entry_point.name)
    echo = _Echo(tried, routes.table.services.get(route.service_name))
    if not route.broken:
        route = replace(route, service=echo)
    client = _NoClient(head, tried)
    surroundings = Surroundings(_OneRoute(route), ())  # type: ignore[arg-type] # all that an exchange asks of routes
    exchange = Exchange(surroundings, client, request, head.target)
    exchange.begin()
    try:
        await asyncio.wait_for(client.done.wait(), PATIENCE)
    except TimeoutError:
        exchange.client_gone()
    return tried


@dataclass(frozen=True, slots=True)
class _OneRoute:
    route: Route

    def match(self, request: Request) -> Route:
        return self.route


class _Echo:
    """Stands where the application would, and notes what it would get."""

    name = "echo"

    def __init__(self, tried: Tried, instead_of: messages.Service | None) -> None:
        self._tried = tried
        self._host = b""
        if isinstance(instead_of, messages.LoadBalancer) and not instead_of.pass_host_header and instead_of.servers:
            self._host = urlsplit(instead_of.servers[0].url).netloc.encode("ascii", "replace")

    def serve(self, exchange: Exchange) -> None:
        request, tried = exchange.request, self._tried
        tried.reached = True
        tried.target = request.path if request.query is None else request.path + b"?" + request.query
        tried.received = onward_fields(request, self._host or request.authority)
        exchange.answer(HttpAnswer(204))


class _NoClient:
    """A ``Downstream`` behind which nobody waits."""

    def __init__(self, head: RequestHead, tried: Tried) -> None:
        self.head = head
        self.forwarded = BlockMemory()
        self.done = asyncio.Event()
        self._tried = tried

    def inform(self, status: int, reason: bytes, headers: list[Header]) -> None:
        pass

    def start_response(self, status: int, reason: bytes, headers: list[Header], length: int | None) -> None:
        self._tried.status, self._tried.answer = status, headers

    def send(self, data: bytes) -> None:
        pass

    def flush(self) -> None:
        pass

    def trail(self, trailers: tuple[Header, ...]) -> None:
        pass

    def let_body_rest(self) -> None:
        pass

    def finish(self) -> None:
        self.done.set()

    def abort(self) -> None:
        self.done.set()

    def want_body(self, receiver: BodyReceiver) -> None:
        receiver.body_ended()

    def invite_body(self) -> None:
        pass

    def hold_body(self) -> None:
        pass

    def release_body(self) -> None:
        pass

    def start_tunnel(self, headers: list[Header], end: TunnelEnd) -> bytes:
        return b""

    def tunnel_send(self, data: bytes) -> None:
        pass

    def tunnel_close(self) -> None:
        self.done.set()

    def tunnel_hold(self) -> None:
        pass

    def tunnel_release(self) -> None:
        pass
