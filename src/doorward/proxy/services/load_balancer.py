"""``loadBalancer``: several equal servers, asked in turn by weight (``contracts/proxy.md`` section 8.1)."""

from __future__ import annotations

from doorward.messages import routing as messages
from doorward.net.origin import Origin
from doorward.net.pool import Pool, PoolSettings
from doorward.net.pools import Pools
from doorward.proxy.answers import NO_SERVER
from doorward.proxy.exchange import Exchange
from doorward.proxy.relay import Relay
from doorward.proxy.services.server import Server


class LoadBalancer:
    """Smooth weighted round robin: of servers weighing 3 and 1, the light one is every fourth, not the last four."""

    def __init__(self, service: messages.LoadBalancer, pools: Pools) -> None:
        """Raises ValueError when a server's URL is none."""
        self.name = service.name
        self.response_header_timeout = service.response_header_timeout
        settings = PoolSettings(service.dial_timeout, service.idle_conn_timeout, service.max_idle_conns_per_host)
        self._servers = [_server(server, service, settings, pools) for server in service.servers if server.weight > 0]
        self._weights = [server.weight for server in service.servers if server.weight > 0]
        self._credit = [0] * len(self._servers)

    def serve(self, exchange: Exchange) -> None:
        server = self.choose(())
        if server is None:
            exchange.fail(NO_SERVER)
            return
        Relay(exchange, self, server).start()

    def choose(self, tried: tuple[Server, ...]) -> Server | None:
        """The next server's turn, leaving out those that this request ``tried``; None when there is none."""
        servers = self._servers
        if len(servers) == 1:
            return None if tried else servers[0]
        best, total = -1, 0
        for index, server in enumerate(servers):
            if server in tried:
                continue
            self._credit[index] += self._weights[index]
            total += self._weights[index]
            if best < 0 or self._credit[index] > self._credit[best]:
                best = index
        if best < 0:
            return None
        self._credit[best] -= total
        return servers[best]


def _server(server: messages.Server, service: messages.LoadBalancer, settings: PoolSettings, pools: Pools) -> Server:
    origin = Origin.parse(server.url, service.tls)
    pool: Pool = pools.of(origin, settings)
    return Server.build(server, pool, service.pass_host_header)
