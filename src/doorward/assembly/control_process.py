"""The control process: knows what the workers must know, and tells them when it changes.

Two things flow in: routes from the configuration's sources, and whatever the identity provider's change log says.
Both are checked and finished before a worker hears of them, so that it only swaps one immutable thing for another. The
routes are made by another process that comes and goes (``compiler``). This one may die at any
time: the workers go on with what they know, and the next one tells them everything again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

from doorward.assembly.children import Notifier
from doorward.assembly.compiler import Compiler
from doorward.assembly.examinations import Examinations
from doorward.assembly.explainer import Explainer
from doorward.assembly.health_checks import HealthChecks
from doorward.assembly.identity_follower import IdentityFollower
from doorward.assembly.metrics_sum import MetricsSum
from doorward.assembly.push_watch import BEAT
from doorward.assembly.session_ends import SessionEnds
from doorward.assembly.sign_outs import SignOuts
from doorward.assembly.state_folder import StateFolder
from doorward.assembly.worker_links import Reply, WorkerLinks
from doorward.messages.compiling import ApiObjects, Failed, Routing
from doorward.messages.control import (
    AllKnow,
    ApiQuestion,
    Counters,
    FromWorker,
    IdentityReadiness,
    MetricsText,
    MetricsWanted,
    ServerFailed,
    ServersHealth,
    SessionsEnded,
    TableInUse,
    ToWorker,
    UseOutposts,
    UseRoutingTable,
    WhenAllKnow,
)
from doorward.messages.decisions import ChainTried, Decided, ProbesFound
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.plan import NoRoutes, Plan, Reloaded
from doorward.messages.routing import RoutingTable
from doorward.messages.sessions import IdentityState
from doorward.sources.applications import ProxiedApplications
from doorward.sources.following import follow

_log = logging.getLogger("doorward.control")
if TYPE_CHECKING:
    from doorward.assembly.api.answers import Api
    from doorward.assembly.standing_probe import StandingProbe

FIRST_LOOK = 0.5
"""Seconds to wait for the identity provider's applications before the first table: after a restart of this process
it must not take the routes of applications in proxy mode away for a moment."""
OURSELVES = 0
"""No process has this number: whose gauges these are, beside the workers'."""


class Control:
    def __init__(self, plan: Plan, folder: StateFolder, notifier: Notifier) -> None:
        self._plan = plan
        self._folder = folder
        self._notifier = notifier
        self._table: RoutingTable | None = None
        self._outposts: OutpostConfiguration | None = None
        self._outposts_known = asyncio.Event()
        self._applications = ProxiedApplications()
        self._compiler = Compiler(plan, folder)
        self._identity_ready = False
        self._metrics = MetricsSum()
        self._in_use: dict[int, int] = {}
        """By worker, the version of the routing table that it uses."""
        self._gauges: dict[str, float] = {}
        """What is said about the configuration in force."""
        database = None if plan.identity.database else folder.database
        self._follower = IdentityFollower(
            folder.rpc_socket, database, self._on_identity_change, self._on_identity_readiness
        )
        self._ends = SessionEnds(plan.workers)
        self._sign_outs = SignOuts(self._follower.look, self._ends, folder.is_alone, _say)
        self._links = WorkerLinks(self._current, self._follower.ended_since, self._heard, self._gone, self._ends)
        self._probe = self._make_probe()
        examinations = Examinations(lambda: self._outposts, self._authority_pem)
        self._explainer = Explainer(self._links.tell_one, self._probed, examinations.make, self._compiler.expect)
        self._health = HealthChecks(self._on_health, _say)
        self._api: Api | None = None
        self._reload = asyncio.Event()

    async def run(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        server = await self._links.listen(self._folder.control_socket)
        explaining = await self._explainer.listen(self._folder.explain_socket)
        tasks = [
            asyncio.create_task(self._follow_routes()),
            asyncio.create_task(self._follower.run()),
            asyncio.create_task(self._beat()),
        ]
        if self._probe is not None:
            tasks.append(asyncio.create_task(self._probe.run()))
        self._notifier.ready()
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # a task that ended by an exception takes the process with it; the next one starts clean
        for task in tasks:
            task.cancel()
        await self._health.close()
        await self._compiler.close()
        server.close()
        explaining.close()

    def _use_api(self, objects: ApiObjects | None) -> None:
        if objects is not None and self._api is None:
            # Few ask for it; the others need not carry it.
            from doorward.assembly.api.answers import Api

            self._api = Api(self._health.known)
        if objects is not None and self._api is not None:
            self._api.use(objects)

    def _make_probe(self) -> StandingProbe | None:
        interval = self._plan.routes.probe_interval
        if not interval:
            return None
        # Off by default: the others need not carry it.
        from doorward.assembly.standing_probe import StandingProbe, report_by_rpc

        report = partial(report_by_rpc, self._folder.rpc_socket)
        return StandingProbe(interval, report, self._count_health, self._authority_pem())

    def _authority_pem(self) -> str:
        # Needed by what is off by default, or asked for by hand.
        from doorward.assembly import local_ca

        return local_ca.ensure(self._folder.authority).certificate_pem

    def _probed(self) -> ProbesFound:
        return ProbesFound() if self._probe is None else self._probe.found()

    async def _beat(self) -> None:
        """Let the workers hear that they would hear of a change (``push_watch``)."""
        while True:
            await asyncio.sleep(BEAT)
            self._links.tell_all(IdentityReadiness(self._identity_ready))

    # --- what flows in ---------------------------------------------------------------------------------------------

    async def _follow_routes(self) -> None:
        await self._compiler.begin()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._outposts_known.wait(), FIRST_LOOK)
        outcomes = follow(self._compiler.make, self._plan.routes, self._applications, self._reload, self._looked)
        async for outcome in outcomes:
            match outcome:
                case Routing():
                    self._take(outcome)
                case Failed(problems):
                    self._refused(problems)

    def _take(self, routing: Routing) -> None:
        self._table = routing.table
        self._metrics.count("traefik_config_reloads_total")
        self._gauges = {"traefik_config_last_reload_success": float(int(time.time())), **routing.gauges}
        for warning in routing.warnings:
            _say(f"warning: {warning}")
        self._links.tell_all(UseRoutingTable(routing.table))
        self._use_api(routing.api)
        self._health.use(routing.table)
        self._count_health()

    def _looked(self) -> None:
        self._notifier.tell(Reloaded())

    def _refused(self, problems: str) -> None:
        if self._table is not None and self._table.version:
            _say(f"the configuration was not taken, the last good configuration stays in force:\n{problems}")
            return
        _say(f"the configuration was not taken, no routes are in force:\n{problems}")
        self._notifier.tell(NoRoutes(problems))
        self._table = RoutingTable()
        self._links.tell_all(UseRoutingTable(self._table))

    def _on_identity_change(self, configuration: OutpostConfiguration | None, state: IdentityState) -> None:
        # A first look back tells nothing: workers that know sessions ask for what they missed by themselves.
        if self._outposts is not None and (state.all_ended or state.ended_sessions):
            self._ends.told(state.position)
            self._links.tell_all(SessionsEnded(state.ended_sessions, state.all_ended, state.position))
        if configuration is not None:
            self._outposts = configuration
            self._outposts_known.set()
            self._applications.use(configuration)
            if self._probe is not None:
                self._probe.use(configuration)
            self._links.tell_all(UseOutposts(configuration))

    def _on_health(self, news: ServersHealth) -> None:
        self._links.tell_all(news)
        self._count_health()

    def _count_health(self) -> None:
        probe = {} if self._probe is None else self._probe.gauges()
        version = self._table.version if self._table is not None else 0
        generation = {
            "doorward_config_generation": float(version),
            "doorward_config_generation_workers": float(sum(used == version for used in self._in_use.values())),
        }
        self._metrics.add(OURSELVES, Counters({}, {**self._gauges, **self._health.gauges(), **generation, **probe}))

    def _on_identity_readiness(self, ready: bool) -> None:
        if ready != self._identity_ready:
            self._identity_ready = ready
            self._links.tell_all(IdentityReadiness(ready))

    # --- what the workers hear and say -----------------------------------------------------------------------------

    def _current(self) -> list[ToWorker]:
        """Everything that is true now, for a worker that has just connected."""
        messages: list[ToWorker] = []
        if self._table is not None:
            messages += [UseRoutingTable(self._table), self._health.known()]
        if self._outposts is not None:
            messages.append(UseOutposts(self._outposts))
        messages.append(IdentityReadiness(self._identity_ready))
        return messages

    def _gone(self, pid: int) -> None:
        self._in_use.pop(pid, None)
        self._metrics.gone(pid)
        self._count_health()

    def _heard(self, pid: int, message: FromWorker, reply: Reply) -> None:
        if isinstance(message, Counters):
            self._metrics.add(pid, message)
        elif isinstance(message, TableInUse):
            self._in_use[pid] = message.version
            self._count_health()
        elif isinstance(message, ApiQuestion):
            if self._api is not None:
                reply(self._api.answer(message.ticket, message.path, message.query))
        elif isinstance(message, MetricsWanted):
            reply(MetricsText(self._metrics.text()))
        elif isinstance(message, ServerFailed):
            self._health.failed(message)
        elif isinstance(message, Decided | ChainTried):
            self._explainer.heard(message)
        elif isinstance(message, WhenAllKnow):
            self._sign_outs.asked(lambda: reply(AllKnow(message.number)))


def _say(text: str) -> None:
    _log.warning("%s", text)


def run(plan: Plan, folder: StateFolder, notifier: Notifier) -> None:
    asyncio.run(Control(plan, folder, notifier).run())
