"""``doorward outpost``: one process with the data plane and an outpost on one event loop.

One is enough: a decision costs microseconds, and what must happen once (a login state, a refresh token, a logout) is
then settled where it is asked. More outposts are more programs, each behind the balancer in front of them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import uvloop

from doorward.assembly import state_folder
from doorward.assembly.explainer import Explainer
from doorward.assembly.listening import Given, Listeners, PortUnusable
from doorward.assembly.metrics_sum import MetricsSum
from doorward.assembly.outpost_connected import ConnectedOutpost
from doorward.assembly.outpost_doors import FusedOutpost, OutpostService
from doorward.assembly.outpost_files import watch
from doorward.assembly.outpost_foreign import ForeignOutpost
from doorward.assembly.outpost_proxied import with_proxied
from doorward.assembly.outpost_reload import NotReloaded, as_far_as_possible, read_again
from doorward.assembly.small_services import TEXT, Health
from doorward.assembly.state_folder import StateFolder
from doorward.messages import routing
from doorward.messages.control import Counters
from doorward.messages.decisions import Decided, Decision
from doorward.messages.entry_points import Metrics
from doorward.messages.http import HttpAnswer
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.standalone import ConnectedApplications, ForeignApplications, OutpostPlan
from doorward.net.client import Client
from doorward.net.descriptors import raise_limit
from doorward.net.pools import Pools
from doorward.net.tls import CertificateUnusable
from doorward.observe import log_lines
from doorward.proxy.access_log import AccessLogFile
from doorward.proxy.engine import Engine
from doorward.proxy.metrics import MetricsBook
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.request import Request
from doorward.proxy.routing import Routes
from doorward.proxy.services.factory import ServiceFactory

log = logging.getLogger("doorward.outpost")


class OutpostProgram:
    """Raises sqlite3.Error when the state folder cannot be used."""

    def __init__(self, plan: OutpostPlan, folder: StateFolder | None = None) -> None:
        """``folder``: the place for its sockets, where it has a state folder."""
        self._plan = plan
        self._folder = folder
        self._explainer = Explainer(lambda message: False)
        self._table = plan.table
        self._configuration = OutpostConfiguration()
        """Of an identity provider elsewhere."""
        self._client = Client()
        self._stopping = False
        state = Path(plan.state_folder) if plan.state_folder else None
        self._outpost: ForeignOutpost | ConnectedOutpost
        if isinstance(plan.applications, ForeignApplications):
            self._outpost = ForeignOutpost(
                plan.applications, plan.trusted, state, self._client, time.time, self._cut, self._decided
            )
        else:
            self._outpost = ConnectedOutpost(
                plan.applications, plan.trusted, self._client, time.time, self._cut, self._route, self._decided
            )
        pools = Pools()
        self._sum = MetricsSum()
        self._metrics = MetricsBook(Metrics(entry_point="metrics")) if plan.metrics else None
        self._services = ServiceFactory(
            {
                "outpost@internal": OutpostService(self._outpost.answering),
                "health@internal": Health(lambda: self._outpost.ready and not self._stopping),
                "prometheus@internal": _Numbers(self._text),
            },
            pools,
        )
        self._access_log = AccessLogFile(plan.access_log) if plan.access_log is not None else None
        nothing = Routes.build(routing.RoutingTable(), self)
        self._engine = Engine(plan.entry_points, nothing, self._access_log, self._metrics, pools, self._decided)

    async def run(self) -> None:
        """Until told to stop. Raises PortUnusable, CertificateUnusable."""
        sockets = Listeners(self._plan.entry_points, 1, Given(())).of_worker(0)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        reload = asyncio.Event()
        loop.add_signal_handler(signal.SIGHUP, reload.set)
        if self._access_log is not None:
            loop.add_signal_handler(signal.SIGUSR1, self._reopen)
        self._engine.use(Routes.build(self._table, self))
        door = await self._explainer.listen(self._folder.explain_socket) if self._folder is not None else None
        if self._folder is not None:
            self._folder.announce()
        following = asyncio.create_task(self._outpost.run())
        await self._engine.start(sockets)
        _say_ready(self._plan)
        reloading = asyncio.create_task(self._reload_whenever(reload))
        watching = asyncio.create_task(watch(lambda: self._plan.watched, reload.set))
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([waiting, following], return_when=asyncio.FIRST_COMPLETED)
        if following in done:
            following.result()  # it never ends but by a fault of ours: better no outpost than a deaf one
        self._stopping = True
        await self._engine.drain(self._plan.grace)
        for task in (following, reloading, watching):
            task.cancel()
        if door is not None:
            door.close()
        await self._outpost.close()
        await self._client.close()

    async def _reload_whenever(self, wanted: asyncio.Event) -> None:
        while True:
            await wanted.wait()
            wanted.clear()
            try:
                self._use(await read_again(self._plan))
            except (NotReloaded, CertificateUnusable) as error:
                log.error("the configuration cannot be used, everything stays as it was: %s", error)
            except Exception:
                log.exception("the configuration was not read again")

    def _use(self, wanted: OutpostPlan) -> None:
        """Put in force what can be while the process runs. Raises CertificateUnusable, and then changes nothing."""
        plan, waiting = as_far_as_possible(self._plan, wanted)
        table = with_proxied(plan.table, self._configuration, plan.entry_points[0])
        self._engine.use(Routes.build(table, self))
        self._plan, self._table = plan, table
        match self._outpost, plan.applications:
            case ForeignOutpost() as outpost, ForeignApplications() as applications:
                outpost.use(applications)
            case ConnectedOutpost() as connected, ConnectedApplications() as identity:
                connected.use(identity)
        for warning in plan.warnings:
            log.warning("%s", warning)
        if waiting:
            log.warning("changed, but in force after a restart only: %s", "; ".join(waiting))
        log.info("the configuration was read again and is in force")

    def _reopen(self) -> None:
        """The log files were moved away."""
        log_lines.reopen()
        if self._access_log is not None:
            self._access_log.reopen()

    def _decided(self, decision: Decision) -> None:
        """A record for whoever asks why; without a state folder nobody can ask."""
        if self._folder is not None:
            self._explainer.heard(Decided((decision,)))

    def _cut(self, id_hashes: Iterable[bytes], everything: bool = False) -> None:
        self._engine.sessions_ended(id_hashes, everything)

    def _route(self, configuration: OutpostConfiguration) -> None:
        """What is protected has changed: so may have what stands behind this outpost."""
        self._configuration = configuration
        table = with_proxied(self._plan.table, configuration, self._plan.entry_points[0])
        if table != self._table:
            self._table = table
            self._engine.use(Routes.build(table, self))

    def _text(self) -> bytes:
        if self._metrics is not None:
            self._sum.add(os.getpid(), Counters(self._metrics.collect(), self._metrics.gauges()))
        return self._sum.text()

    # --- the workshop of the routing table -----------------------------------------------------------------------

    def authority(self, middleware: routing.ForwardAuth) -> ForwardAuthority:
        return FusedOutpost(self._outpost.answering)

    def service(self, service: routing.Service, part: Callable[[str], object]) -> object:
        return self._services.service(service, part)


class _Numbers:
    """``prometheus@internal`` without other processes to ask."""

    def __init__(self, text: Callable[[], bytes]) -> None:
        self._text = text

    def answer(self, request: Request, body: bytes) -> HttpAnswer:
        if request.method not in (b"GET", b"HEAD"):
            return HttpAnswer(405, (TEXT, (b"Allow", b"GET, HEAD")))
        return HttpAnswer(200, ((b"Content-Type", b"text/plain; version=0.0.4; charset=utf-8"),), self._text())


def _say_ready(plan: OutpostPlan) -> None:
    point = plan.entry_points[0]
    _say(f"outpost listens on {'https' if point.tls else 'http'}://{point.host or '*'}:{point.port}")
    _say(f"it believes what these say about clients: {', '.join(plan.trusted) or 'nobody'}")
    for warning in plan.warnings:
        _say(f"warning: {warning}")


def _say(text: str) -> None:
    print(f"doorward: {text}", file=sys.stderr, flush=True)  # noqa: T201


def run(plan: OutpostPlan) -> int:
    """The exit status."""
    raise_limit()
    lock, folder = -1, None
    try:
        log_lines.start(plan.log.level, plan.log.format, plan.log.file)
        if plan.state_folder:
            state_folder.make(Path(plan.state_folder))
            lock = state_folder.locked(Path(plan.state_folder))
            folder = state_folder.opened(Path(plan.state_folder))
        uvloop.run(OutpostProgram(plan, folder).run())
    except (state_folder.StateFolderUnusable, PortUnusable, CertificateUnusable) as error:
        _say(str(error))
        return 1
    except OSError as error:
        _say(f"the log file {plan.log.file} cannot be written: {error.strerror}")
        return 1
    except sqlite3.Error as error:
        _say(f"{plan.state_folder}/sessions.sqlite3 cannot be used: {error}")
        return 1
    finally:
        if folder is not None:
            folder.close()
        if lock >= 0:
            os.close(lock)
    return 0


def main(descriptor: int) -> int:
    """``python -m doorward.assembly.outpost_process FD``."""
    with os.fdopen(descriptor, "rb") as memory:
        plan = msgspec.msgpack.decode(memory.read(), type=OutpostPlan)
    return run(plan)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
