"""The data plane of one worker: all entry points, driven by assembly.

Assembly makes an engine, gives it sockets, and afterwards only tells it what has changed: new routes, new
certificates, sessions that ended, the end of the worker.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from doorward.messages.decisions import Decision
from doorward.messages.entry_points import EntryPoint
from doorward.messages.routing import ForwardAuth
from doorward.messages.sessions import PROGRAMS_IN_DOUBT
from doorward.net.descriptors import room_for_connections
from doorward.net.pools import Pools
from doorward.net.server_tls import ServerTls
from doorward.proxy.access_log import AccessLogFile
from doorward.proxy.entry_point import EntryPointServer
from doorward.proxy.headcount import Capacity
from doorward.proxy.metrics import MetricsBook
from doorward.proxy.refusal_records import RefusalRecords
from doorward.proxy.routing import Routes
from doorward.proxy.service import Ledger
from doorward.proxy.surroundings import Surroundings

SWEEP_INTERVAL = 1.0
"""Seconds between two looks at every connection, pool and log buffer."""
LAST_LOOK = 0.1
"""Seconds between closing the doors and closing idle connections: what had been sent to us by then is answered."""
_log = logging.getLogger("doorward.proxy")


class Engine:
    """See the module. Used from one event loop."""

    def __init__(
        self,
        entry_points: Sequence[EntryPoint],
        routes: Routes,
        access_log: AccessLogFile | None = None,
        metrics: MetricsBook | None = None,
        pools: Pools | None = None,
        decided: Callable[[Decision], None] | None = None,
    ) -> None:
        """``pools`` are those that the routes' services use: the engine keeps them tidy and closes them at the end.
        ``decided`` gets a record of whatever the proxy refuses by itself."""
        ledgers: list[Ledger] = [ledger for ledger in (metrics, access_log) if ledger is not None]
        self._surroundings = Surroundings(routes, tuple(ledgers))
        if decided is not None:
            self._surroundings.refused = RefusalRecords(decided).refused
        self._access_log = access_log
        self._metrics = metrics
        self._pools = pools or Pools()
        self._handshakes = ServerTls()
        capacity = Capacity(room_for_connections(), self._shut)
        self._servers = {
            entry_point.name: EntryPointServer(entry_point, self._surroundings, self._handshakes, capacity)
            for entry_point in entry_points
        }
        self._sweeping: asyncio.TimerHandle | None = None

    async def start(self, sockets: Mapping[str, Sequence[socket.socket]]) -> None:
        """Serve: ``sockets`` are listening sockets by entry point name; they become the engine's."""
        for name, listeners in sockets.items():
            for listener in listeners:
                await self._servers[name].listen(listener)
        self._sweep()

    def use(self, routes: Routes) -> None:
        """Route new requests with ``routes`` and make new handshakes as its table says; requests under way keep what
        they started with, and connections the handshake that they had. Raises CertificateUnusable and then changes
        nothing."""
        self._handshakes.use(routes.table)
        self._surroundings.routes = routes
        if self._metrics is not None:
            self._metrics.guarded = frozenset(
                router.name
                for router in routes.table.routers
                if any(isinstance(middleware, ForwardAuth) for middleware in router.middlewares)
            )
        for name, server in self._servers.items():
            server.speak(plain=routes.has(name, tls=False), tls=routes.has(name, tls=True))

    def sessions_ended(self, id_hashes: Iterable[bytes], all_sessions: bool = False) -> None:
        """Cut what is open on these proxy sessions, or on any; among the ids may be PROGRAMS_IN_DOUBT."""
        if all_sessions:
            self._surroundings.sessions.end_all()
            return
        ended = frozenset(id_hashes)
        self._surroundings.sessions.end(ended)
        if PROGRAMS_IN_DOUBT in ended:
            self.programs_in_doubt()

    def programs_in_doubt(self) -> None:
        """Ask about every program that has something open."""
        self._surroundings.rechecks.in_doubt()

    def reopen_access_log(self) -> None:
        """The log file was moved away (SIGUSR1)."""
        if self._access_log is not None:
            self._access_log.reopen()

    @property
    def open_connections(self) -> dict[str, int]:
        """Client connections by entry point."""
        return {name: server.open_connections for name, server in self._servers.items()}

    async def drain(
        self, grace: float | None = None, *, replaced: bool = False, closed: Callable[[], None] = lambda: None
    ) -> None:
        """Stop accepting (each entry point after its ``accept_grace``), let what is under way finish within the entry
        point's grace (or ``grace`` seconds), cut the rest (S-923).

        ``replaced``: others accept from the same sockets from now on, and nobody shall notice that we go. Connections
        are then not closed while a request may be on its way, but with the next response. ``closed`` is called when
        nothing is accepted any more.
        """
        await asyncio.gather(*(self._drain(server, grace, replaced, closed) for server in self._servers.values()))
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._pools.close()
        await asyncio.sleep(0)
        if self._access_log is not None:
            self._access_log.close()

    async def _drain(
        self, server: EntryPointServer, grace: float | None, replaced: bool, closed: Callable[[], None]
    ) -> None:
        if not replaced:
            await asyncio.sleep(server.entry_point.accept_grace)
        server.leave()
        deadline = time.monotonic() + (server.entry_point.grace if grace is None else grace)
        if all(other.draining for other in self._servers.values()):
            closed()
        if not replaced:
            await asyncio.sleep(LAST_LOOK)
            server.stop()
        while server.busy and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        server.cut()

    def _shut(self, shut: bool) -> None:
        if shut:
            _log.warning("accept.paused: no file descriptors for more connections; raise the limit (ulimit -n)")
        for server in self._servers.values():
            server.shut(shut)

    def _sweep(self) -> None:
        now = time.monotonic()
        for server in self._servers.values():
            server.sweep(now)
        self._pools.sweep(now)
        self._surroundings.rechecks.sweep(now)
        if self._access_log is not None:
            self._access_log.flush()
        if self._metrics is not None:
            self._metrics.open_connections = self.open_connections
        self._sweeping = asyncio.get_running_loop().call_later(SWEEP_INTERVAL, self._sweep)
