"""A data-plane worker: the proxy and the outpost on one event loop, and the link to the control process."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf

import uvloop

from doorward.assembly.api_door import ApiDoor
from doorward.assembly.children import Notifier
from doorward.assembly.control_link import ControlLink
from doorward.assembly.decision_post import DecisionPost
from doorward.assembly.identity_doors import LocalIssuerChannel, RpcSessionStore, SocketQuestions
from doorward.assembly.last_uses import LastUses
from doorward.assembly.outpost_doors import FusedOutpost, OutpostService
from doorward.assembly.push_watch import PushWatch
from doorward.assembly.sign_outs import SignOutQuestions
from doorward.assembly.small_services import Health, MetricsPage, Ping
from doorward.assembly.state_folder import StateFolder
from doorward.assembly.trials import Trials
from doorward.messages import routing
from doorward.messages.control import (
    AllKnow,
    ApiAnswer,
    Counters,
    Hello,
    IdentityReadiness,
    MetricsText,
    MetricsWanted,
    ServersHealth,
    SessionsEnded,
    SessionsForgotten,
    TableInUse,
    ToWorker,
    UseOutposts,
    UseRoutingTable,
    WhenAllKnow,
)
from doorward.messages.decisions import TryChain
from doorward.messages.plan import Plan
from doorward.net.client import Client
from doorward.net.descriptors import raise_limit
from doorward.net.pools import Pools
from doorward.net.tls import CertificateUnusable
from doorward.observe import log_lines
from doorward.outpost.answer import Outpost
from doorward.proxy import chain_trial
from doorward.proxy.access_log import AccessLogFile
from doorward.proxy.engine import Engine
from doorward.proxy.http_authority import HttpAuthority
from doorward.proxy.metrics import MetricsBook
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.routing import Routes
from doorward.proxy.services.factory import ServiceFactory
from doorward.proxy.services.health_board import HealthBoard

_log = logging.getLogger("doorward.worker")
COUNT_EVERY = 1.0
"""Seconds between two reports of what was counted."""


class Worker:
    def __init__(self, plan: Plan, folder: StateFolder, index: int, notifier: Notifier) -> None:
        self._notifier = notifier
        self._index = index
        self._client = Client()
        self._sign_outs = SignOutQuestions(lambda number: self._link.tell(WhenAllKnow(number)), _say)
        questions = SocketQuestions(self._client, str(folder.rpc_socket))
        store = RpcSessionStore(questions, self._sign_outs.told)
        issuer = LocalIssuerChannel(self._client, str(folder.back_channel_socket), plan.identity.external_url)
        self._decisions = DecisionPost(lambda decided: self._link.tell(decided), chain_trial.PEER)
        self._outpost = Outpost(store, issuer, now=time.time, decided=self._decisions.add)
        self._last_uses = LastUses(self._outpost.used_since, questions, time.time)
        self._link = ControlLink(folder.control_socket, self._hello, self._heard)
        self._metrics_page = MetricsPage(lambda: self._link.tell(MetricsWanted()))
        self._api = ApiDoor(self._link.tell)
        pools = Pools()
        self._health = HealthBoard(self._link.tell)
        self._services = ServiceFactory(
            {
                "outpost@internal": OutpostService(self._outpost),
                "health@internal": Health(lambda: self._ready),
                "ping@internal": Ping(lambda: self._stopping),
                "prometheus@internal": self._metrics_page,
                "api@internal": self._api,
            },
            pools,
            self._health,
        )
        self._access_log = AccessLogFile(plan.access_log) if plan.access_log is not None else None
        self._metrics = MetricsBook(plan.metrics) if plan.metrics is not None and plan.metrics.entry_point else None
        nothing = Routes.build(routing.RoutingTable(), self)
        self._engine = Engine(plan.entry_points, nothing, self._access_log, self._metrics, pools, self._decisions.add)
        self._table_heard, self._outposts_heard = asyncio.Event(), asyncio.Event()
        self._routed = self._identity_ready = self._said_ready = False
        self._position = -1
        self._stopping = False
        self._push = PushWatch(time.monotonic())
        self._routes: Routes | None = None
        self._trials = Trials(self._outpost, plan.entry_points, lambda: self._routes)
        self._trying: set[asyncio.Task[None]] = set()

    def _hello(self) -> Hello:
        self._decisions.all_again()
        return Hello(os.getpid(), self._index, self._position)

    @property
    def _ready(self) -> bool:
        known = self._routed and self._outposts_heard.is_set()
        return known and self._identity_ready and not self._stopping

    async def run(self, sockets: Mapping[str, Sequence[socket.socket]], patience: float) -> None:
        """Serve until told to stop (SIGTERM), or that others go on in our place (SIGUSR2)."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop, stop)
        loop.add_signal_handler(signal.SIGUSR2, stop.set)
        if self._access_log is not None:
            loop.add_signal_handler(signal.SIGUSR1, self._reopen_logs)
        tasks = [asyncio.create_task(run()) for run in (self._link.run, self._count, self._last_uses.run)]
        stopped = asyncio.create_task(stop.wait())
        informed = asyncio.create_task(self._informed(patience))
        await asyncio.wait([stopped, informed], return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            await self._engine.start(sockets)
            await stopped
        informed.cancel()
        await self._engine.drain(replaced=not self._stopping, closed=self._notifier.leaving)
        await self._last_uses.tell()
        for task in tasks:
            task.cancel()
        await self._client.close()

    def _reopen_logs(self) -> None:
        log_lines.reopen()
        if self._access_log is not None:
            self._access_log.reopen()

    def _stop(self, stop: asyncio.Event) -> None:
        self._stopping = not stop.is_set()
        stop.set()

    async def _informed(self, patience: float) -> None:
        """Returns when there is something to answer from. Until then connections wait in the backlog.

        Without the outposts' configuration nobody gets in where somebody must be known; in the place of a worker that
        had it we wait for it as well, for ``patience`` seconds.
        """
        await self._table_heard.wait()
        waiting = asyncio.create_task(self._outposts_heard.wait())
        await asyncio.wait([waiting], timeout=patience if patience < inf else None)
        waiting.cancel()

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(COUNT_EVERY)
            if self._push.is_silent(time.monotonic()):
                self._outpost.sessions_ended((), everything=True)  # forgotten, not ended: each is asked for again
            if self._metrics is not None and self._link.connected:
                self._link.tell(Counters(self._metrics.collect(), self._metrics.gauges()))

    # --- what the control process says ---------------------------------------------------------------------------

    def _heard(self, message: ToWorker) -> None:
        self._push.heard(time.monotonic())
        match message:
            case UseRoutingTable(table):
                if table.version or not self._routed:  # none can be used: the last good one stays
                    self._use(table)
                    self._health.forget_all_but(set(table.services))
                    self._routed = table.version > 0
                self._table_heard.set()
                self._link.tell(TableInUse(table.version))
            case UseOutposts(configuration):
                if self._position < 0:  # it knows no session from before this moment
                    self._position = configuration.position
                self._outpost.use(configuration)
                self._engine.programs_in_doubt()
                self._outposts_heard.set()
            case SessionsEnded(id_hashes, everything, position):
                self._position = max(self._position, position)
                self._outpost.sessions_ended(id_hashes, everything=everything)
                self._engine.sessions_ended(id_hashes, everything)
                self._link.tell(SessionsForgotten(position))
            case AllKnow(number):
                self._sign_outs.answered(number)
            case ServersHealth():
                self._health.hear(message)
            case IdentityReadiness(ready):
                self._identity_ready = ready
            case TryChain():
                task = asyncio.create_task(self._try(message))
                self._trying.add(task)
                task.add_done_callback(self._trying.discard)
            case MetricsText(text):
                self._metrics_page.arrived(text)
            case ApiAnswer():
                self._api.arrived(message)
        if self._ready and not self._said_ready:
            self._said_ready = True
            self._notifier.ready()

    def _use(self, table: routing.RoutingTable) -> None:
        try:
            routes = Routes.build(table, self)
            self._engine.use(routes)
            self._routes = routes
        except CertificateUnusable as error:
            _say(f"the routes stay as they were: {error}")

    async def _try(self, asked: TryChain) -> None:
        self._link.tell(await self._trials.make(asked))

    # --- the workshop of the routing table -----------------------------------------------------------------------

    def authority(self, middleware: routing.ForwardAuth) -> ForwardAuthority:
        if middleware.fused:
            return FusedOutpost(self._outpost)
        return HttpAuthority(self._client, middleware)

    def service(self, service: routing.Service, part: Callable[[str], object]) -> object:
        return self._services.service(service, part)


def _say(text: str) -> None:
    _log.error("%s", text)


def run(
    plan: Plan,
    folder: StateFolder,
    index: int,
    sockets: Mapping[str, Sequence[socket.socket]],
    patience: float,
    notifier: Notifier,
) -> None:
    """``sockets``: by entry point, those to accept from. ``patience``: seconds until it does so although the outposts'
    configuration is not known yet."""
    raise_limit()
    # A request leaves small cycles behind, which are found young; what has lived long is nearly always alive.
    gc.set_threshold(2_000, 20, 50)
    try:
        uvloop.run(Worker(plan, folder, index, notifier).run(sockets, patience))
    except OSError as error:
        _say(f"worker {index}: {error}")
        raise SystemExit(1) from error
