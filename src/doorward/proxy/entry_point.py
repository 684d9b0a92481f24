"""One entry point in one worker: its listening sockets, its client connections and what they may take."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl

from doorward.messages.entry_points import EntryPoint
from doorward.net.tls import HANDSHAKE_TIMEOUT
from doorward.proxy.client_connection import ClientConnection
from doorward.proxy.exchange import Surroundings
from doorward.proxy.forwarding import Admission
from doorward.proxy.middlewares.complaints import Complaints
from doorward.proxy.trust import Trust, parse_address
from doorward.wire.http1.limits import Limits

MAX_CONNECTIONS = 10_000
MAX_PER_PEER = 256
_log = logging.getLogger("doorward.proxy")


class EntryPointServer:
    """Accepts connections and keeps account of them."""

    def __init__(self, entry_point: EntryPoint, surroundings: Surroundings, context: ssl.SSLContext | None) -> None:
        """``context``: speak TLS with it."""
        self.entry_point = entry_point
        self.surroundings = surroundings
        self.admission = Admission(entry_point)
        self.limits = Limits(header=entry_point.max_header_bytes)
        self.tls = context is not None
        self.port = entry_point.port
        self.draining = False
        self._context = context
        self._trust = Trust(entry_point.trusted_ips)
        self._connections: set[ClientConnection] = set()
        self._per_peer: dict[str, int] = {}
        self._servers: list[asyncio.Server] = []
        self._complaints = Complaints()

    async def listen(self, listener: socket.socket) -> None:
        """Accept connections from ``listener``, which becomes ours."""
        self.port = listener.getsockname()[1]
        loop = asyncio.get_running_loop()
        timeout = HANDSHAKE_TIMEOUT if self._context is not None else None
        server = await loop.create_server(
            self._connect, sock=listener, ssl=self._context, ssl_handshake_timeout=timeout, backlog=1024
        )
        self._servers.append(server)

    def take_in(self, connection: ClientConnection) -> bool:
        """Count ``connection``. False when there are too many: of all, or of its peer."""
        peer = connection.peer
        count = self._per_peer.get(peer, 0) + 1
        if len(self._connections) >= MAX_CONNECTIONS or (count > MAX_PER_PEER and not self._speaks_for_many(peer)):
            self._complaints.say("connection.refused", self.entry_point.name, f"too many connections, last from {peer}")
            return False
        self._per_peer[peer] = count
        self._connections.add(connection)
        return True

    def let_go(self, connection: ClientConnection) -> None:
        """``connection`` is closed."""
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        left = self._per_peer[connection.peer] - 1
        if left:
            self._per_peer[connection.peer] = left
        else:
            del self._per_peer[connection.peer]

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    def sweep(self, now: float) -> None:
        """Let every connection look at the clock."""
        for connection in list(self._connections):
            connection.sweep(now)

    def stop(self) -> None:
        """Accept nothing more; idle connections go, the others after what they are doing."""
        self.draining = True
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.stop()

    def cut(self) -> None:
        """End what is left."""
        for connection in list(self._connections):
            connection.cut()

    def _speaks_for_many(self, peer: str) -> bool:
        """A trusted proxy carries many people's connections, and so does one on this very machine."""
        address = parse_address(peer)
        return address is not None and (address.is_loopback or self._trust.includes(peer))

    def _connect(self) -> ClientConnection:
        return ClientConnection(self)
