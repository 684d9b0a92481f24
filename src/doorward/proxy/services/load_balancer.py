"""``loadBalancer``: several equal servers (``contracts/proxy.md`` section 8.1).

Two forms. The plain one goes round by weight and knows nothing else; it is what nearly every request meets. The
attentive one looks at the request to choose (``sticky``, ``strategy``) and at the answer to remember
(``passiveHealthCheck``, ``leasttime``).
"""

from __future__ import annotations

from collections.abc import Callable

from doorward.messages import routing as messages
from doorward.net.origin import Origin
from doorward.net.pool import PoolSettings
from doorward.net.pools import Pools
from doorward.proxy.answers import NO_SERVER
from doorward.proxy.exchange import Exchange
from doorward.proxy.relay import Relay
from doorward.proxy.request import Request
from doorward.proxy.services.health_board import HealthBoard
from doorward.proxy.services.rotation import rotation
from doorward.proxy.services.server import Server


class LoadBalancer:
    """Weighted round robin over the servers that are up."""

    def __init__(self, service: messages.LoadBalancer, pools: Pools, health: HealthBoard) -> None:
        """Raises ValueError when a server's URL is none."""
        self.name = service.name
        self.message = service
        self.response_header_timeout = service.response_header_timeout
        settings = PoolSettings(
            service.dial_timeout,
            service.idle_conn_timeout,
            service.max_idle_conns_per_host,
            service.http2,
            service.read_idle_timeout,
            service.ping_timeout,
        )
        self._servers = tuple(
            Server.build(server, pools.of(Origin.parse(server.url, service.tls), settings), service.pass_host_header)
            for server in service.servers
            if server.weight > 0
        )
        self._health = health
        self._usable: tuple[Server, ...] = ()
        self._next: Callable[[], Server | None] = rotation(self._usable, ())
        self._put_back: Server | None = None
        health.attach(self)

    @property
    def up(self) -> bool:
        """There is a server that may be asked."""
        return bool(self._usable)

    def health_changed(self) -> None:
        """Look at the board again."""
        self._usable = tuple(server for server in self._servers if self._health.is_up(self.name, server.url))
        self._next = rotation(self._usable, [server.weight for server in self._usable])
        self._put_back = None

    @property
    def servers(self) -> tuple[Server, ...]:
        """All, whether they are up or not."""
        return self._servers

    def take_turn(self) -> Server | None:
        """The server whose turn it is; None when there is none that may be asked."""
        server, self._put_back = self._put_back, None
        return server or self._next()

    def put_back(self, server: Server) -> None:
        """``server`` was not asked after all: it is its turn again."""
        self._put_back = server

    def serve(self, exchange: Exchange) -> None:
        server = self.take_turn()
        if server is None:
            exchange.fail(NO_SERVER)
            return
        Relay(exchange, self, server).start()

    def choose(self, request: Request, tried: tuple[Server, ...]) -> Server | None:
        """Another server for ``request``, which ``tried`` some already; None when there is none."""
        left = [server for server in self._usable if server not in tried]
        return rotation(left, [server.weight for server in left])()

    def not_reached(self, server: Server) -> None:
        """``server`` could not be connected to."""
