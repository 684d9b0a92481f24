"""A load balancer that looks at requests and answers: stickiness, strategies, passive health."""

from __future__ import annotations

import time

from doorward.messages import routing as messages
from doorward.net.pools import Pools
from doorward.net.upstream import CannotConnect, ConnectTimeout, Untrusted
from doorward.proxy.answers import NO_SERVER
from doorward.proxy.attempts import UnsafeRequest
from doorward.proxy.exchange import Exchange
from doorward.proxy.relay import Relay
from doorward.proxy.request import Request, ResponseHead
from doorward.proxy.services.health_board import HealthBoard
from doorward.proxy.services.load_balancer import LoadBalancer
from doorward.proxy.services.server import Server
from doorward.proxy.services.sticky import Stickiness
from doorward.proxy.services.strategies import STRATEGIES

FAILED = 500
"""Statuses from here on are a server's failure."""


def needs_attention(service: messages.LoadBalancer) -> bool:
    """Whether going round is not all that ``service`` does."""
    return service.strategy != "wrr" or service.sticky is not None or service.passive_health_check is not None


class AttentiveBalancer(LoadBalancer):
    """See the module."""

    def __init__(self, service: messages.LoadBalancer, pools: Pools, health: HealthBoard) -> None:
        """Raises ValueError when a server's URL is none."""
        super().__init__(service, pools, health)
        self._strategy = STRATEGIES.get(service.strategy)
        self._passive = service.passive_health_check is not None
        self.timed = service.strategy == "leasttime"
        self.sticky = (
            Stickiness(service.sticky, ((server, server.url) for server in self._servers)) if service.sticky else None
        )

    def serve(self, exchange: Exchange) -> None:
        sent = self.sticky.sent(exchange.request) if self.sticky is not None else []
        server = self._choose_first(exchange.request, sent)
        if server is None:
            exchange.fail(NO_SERVER)
            return
        relay = Relay(exchange, self, server)
        exchange.watchers = (*exchange.watchers, _Attention(self, exchange, relay, sent))
        relay.start()

    def _choose_first(self, request: Request, sent: list[bytes]) -> Server | None:
        if sent and self.sticky is not None:
            server = self.sticky.remembered(sent)
            if server is not None and server in self._usable:
                return server
        if self._strategy is None or not self._usable:
            return self._next()
        return self._strategy(self._usable, request)

    def choose(self, request: Request, tried: tuple[Server, ...]) -> Server | None:
        if self._strategy is None:
            return super().choose(request, tried)
        left = [server for server in self._usable if server not in tried]
        return self._strategy(left, request) if left else None

    def not_reached(self, server: Server) -> None:
        self.failed(server)

    def failed(self, server: Server) -> None:
        """``server`` was not reached or failed to answer."""
        if self._passive:
            self._health.failed(self.name, server.url)


class _Attention:
    """What one exchange means for its server, and for the client's cookie. A ``Watcher``."""

    __slots__ = ("_balancer", "_counted", "_exchange", "_relay", "_sent")

    def __init__(self, balancer: AttentiveBalancer, exchange: Exchange, relay: Relay, sent: list[bytes]) -> None:
        self._balancer = balancer
        self._exchange = exchange
        self._relay = relay
        self._sent = sent
        self._counted: Server | None = relay.server
        relay.server.in_flight += 1

    def responding(self, response: ResponseHead) -> bool:
        balancer, server, failure = self._balancer, self._relay.server, self._relay.failure
        if failure is None:
            if response.status >= FAILED:
                balancer.failed(server)
            if balancer.timed:
                server.latency.note(self._exchange.account.origin_seconds, time.monotonic())
        elif not isinstance(failure, CannotConnect | ConnectTimeout | Untrusted | UnsafeRequest):
            # The first three were told by ``not_reached``, and the last is not the server's.
            balancer.failed(server)
        if balancer.sticky is not None:
            cookie = balancer.sticky.reminder(self._sent, server)
            if cookie is not None:
                response.headers.append((b"Set-Cookie", cookie))
        return True

    def ended(self, complete: bool) -> None:
        if self._counted is not None:
            self._counted.in_flight -= 1
            self._counted = None
