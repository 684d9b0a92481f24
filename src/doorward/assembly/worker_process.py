"""A data-plane worker: the proxy and the outpost on one event loop, and the link to the control process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time

import uvloop

from doorward.assembly.children import Notifier
from doorward.assembly.control_link import ControlLink
from doorward.assembly.identity_doors import LocalIssuerChannel, RpcSessionStore
from doorward.assembly.outpost_doors import FusedOutpost, OutpostService
from doorward.assembly.small_services import Health, MetricsPage, Ping
from doorward.assembly.state_folder import StateFolder
from doorward.messages import routing
from doorward.messages.control import (
    Counters,
    Drain,
    Hello,
    IdentityReadiness,
    MetricsText,
    MetricsWanted,
    SessionsEnded,
    TableInUse,
    ToWorker,
    UseOutposts,
    UseRoutingTable,
)
from doorward.messages.entry_points import Metrics
from doorward.messages.plan import Plan
from doorward.net.client import Client
from doorward.outpost.answer import Outpost
from doorward.proxy.engine import Engine
from doorward.proxy.http_authority import HttpAuthority
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.routing import Routes
from doorward.proxy.services.factory import Services

COUNT_EVERY = 1.0
"""Seconds between two reports of what was counted."""


class Worker:
    def __init__(self, plan: Plan, folder: StateFolder, index: int, notifier: Notifier) -> None:
        self._notifier = notifier
        self._index = index
        self._client = Client()
        store = RpcSessionStore(self._client, str(folder.rpc_socket))
        issuer = LocalIssuerChannel(self._client, str(folder.identity_socket), plan.identity.external_url)
        self._outpost = Outpost(store, issuer, now=time.time)
        self._engine = Engine(plan.entry_points, plan.access_log, plan.metrics or Metrics())
        self._link = ControlLink(folder.control_socket, Hello(os.getpid(), index), self._heard)
        self._metrics_page = MetricsPage(lambda: self._link.tell(MetricsWanted()))
        self._services = Services(
            {
                "outpost@internal": OutpostService(self._outpost),
                "health@internal": Health(lambda: self._ready),
                "ping@internal": Ping(),
                "prometheus@internal": self._metrics_page,
            }
        )
        self._table_known = self._outposts_known = self._identity_ready = self._said_ready = False
        self._grace = plan.grace

    @property
    def _ready(self) -> bool:
        return self._table_known and self._outposts_known and self._identity_ready

    async def run(self, sockets: dict[str, socket.socket]) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGUSR1, self._engine.reopen_access_log)
        await self._engine.start({name: [listener] for name, listener in sockets.items()})
        tasks = [asyncio.create_task(self._link.run()), asyncio.create_task(self._count())]
        await stop.wait()
        await self._engine.drain(self._grace)
        for task in tasks:
            task.cancel()
        await self._client.close()

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(COUNT_EVERY)
            counters, gauges = self._engine.collect()
            self._link.tell(Counters(counters, gauges))

    # --- what the control process says ---------------------------------------------------------------------------

    def _heard(self, message: ToWorker) -> None:
        match message:
            case UseRoutingTable(table):
                self._engine.use(Routes.build(table, self))
                self._engine.use_certificates(table.certificates, table.default_certificate)
                self._table_known = True
                self._link.tell(TableInUse(table.version))
            case UseOutposts(configuration):
                self._outpost.use(configuration)
                self._outposts_known = True
            case SessionsEnded(id_hashes, everything):
                self._outpost.sessions_ended(id_hashes, everything)
                self._engine.sessions_ended(id_hashes, everything)
            case IdentityReadiness(ready):
                self._identity_ready = ready
            case MetricsText(text):
                self._metrics_page.arrived(text)
            case Drain(grace):
                self._grace = grace
                os.kill(os.getpid(), signal.SIGTERM)
        if self._ready and not self._said_ready:
            self._said_ready = True
            self._notifier.ready()

    # --- the workshop of the routing table -----------------------------------------------------------------------

    def authority(self, middleware: routing.ForwardAuth) -> ForwardAuthority:
        if middleware.fused:
            return FusedOutpost(self._outpost)
        return HttpAuthority(self._client, middleware)

    def service(self, service: routing.Service) -> object:
        return self._services.make(service)


def run(plan: Plan, folder: StateFolder, index: int, sockets: dict[str, socket.socket], notifier: Notifier) -> None:
    try:
        uvloop.run(Worker(plan, folder, index, notifier).run(sockets))
    except OSError as error:
        print(f"doorward: worker {index}: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(1) from error
