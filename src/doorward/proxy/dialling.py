"""A fresh connection for one request; a server that refuses is passed over for the next (nothing was sent to it)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from doorward.net.http2_call import Http2Call
from doorward.net.upstream import CannotConnect, UpstreamConnection, UpstreamError

if TYPE_CHECKING:
    from doorward.proxy.exchange import Exchange
    from doorward.proxy.services.load_balancer import LoadBalancer
    from doorward.proxy.services.server import Server


class Dialling:
    """``begin`` may be called again, if the connection that was found turned out to be of no use."""

    __slots__ = ("_balancer", "_connected", "_exchange", "_failed", "_task", "_tried", "_turn_to")

    def __init__(
        self,
        exchange: Exchange,
        balancer: LoadBalancer,
        turn_to: Callable[[Server], None],
        connected: Callable[[UpstreamConnection | Http2Call], None],
        failed: Callable[[UpstreamError], None],
    ) -> None:
        """``turn_to`` is told of each further server that is tried; ``connected`` is not called any more once
        ``exchange`` is over."""
        self._exchange = exchange
        self._balancer = balancer
        self._turn_to = turn_to
        self._connected = connected
        self._failed = failed
        self._tried: tuple[Server, ...] = ()
        self._task: asyncio.Task[None] | None = None

    def begin(self, server: Server) -> None:
        """Try ``server`` first."""
        self._task = asyncio.get_running_loop().create_task(self._until_connected(server))

    async def _until_connected(self, server: Server) -> None:
        exchange = self._exchange
        while True:
            try:
                pool = server.pool
                connection = await (pool.dial_http1() if exchange.request.websocket else pool.dial())
            except UpstreamError as error:
                self._balancer.not_reached(server)
                following = self._next_server(server) if isinstance(error, CannotConnect) else None
                if following is None or exchange.over:
                    self._task = None
                    self._failed(error)
                    return
                server = following
                self._turn_to(server)
                exchange.account.retries += 1
            else:
                self._task = None
                if exchange.over:
                    # The client left meanwhile; the next one has the connection ready.
                    connection.release()
                else:
                    self._connected(connection)
                return

    def _next_server(self, refused: Server) -> Server | None:
        self._tried = (*self._tried, refused)
        return self._balancer.choose(self._exchange.request, self._tried)
