"""The children of the supervisor: which there are, what each runs, and the sockets that they share."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from typing import NoReturn

from doorward.assembly import activation, keeper
from doorward.assembly.children import Child, Main, Notifier
from doorward.assembly.listening import Given, Listeners
from doorward.assembly.state_folder import StateFolder
from doorward.assembly.succession import Succession
from doorward.messages.entry_points import EntryPoint
from doorward.messages.handover import InheritedSockets
from doorward.messages.plan import Plan

LATE_PATIENCE = 5.0
"""Seconds that a worker which comes in the place of another waits for the outposts' configuration at most."""
PR_SET_CHILD_SUBREAPER = 36


class Tree:
    """See the module. Raises PortUnusable."""

    def __init__(self, plan: Plan, folder: StateFolder, succession: Succession | None) -> None:
        self._plan = plan
        self._folder = folder
        self._takes_over = succession is not None
        self._was_ready = False
        given = Given(succession.handover.sockets if succession else activation.take(plan.entry_points, os.environ))
        self._listeners = Listeners(plan.entry_points, plan.workers, given)
        whoami = [EntryPoint("whoami", "127.0.0.1", plan.demo.whoami_port)] if plan.demo else []
        self._whoami = Listeners(whoami, 1, given)
        given.close()
        self.identity = self._child("identity", self._identity_main)
        self.control = self._child("control", self._control_main)
        self.workers = [self._child(f"worker {index}", self._worker_main(index)) for index in range(plan.workers)]
        self.others = [self._child("whoami", self._whoami_main)] if plan.demo else []
        self.children = [self.identity, self.control, *self.workers, *self.others]
        self.leavers: list[Child] = []
        """Processes that have been replaced and finish what they are doing."""

    @property
    def everybody(self) -> list[Child]:
        return self.children + self.leavers

    @property
    def behind_workers(self) -> list[Child]:
        """Whom the workers need."""
        return [self.identity, self.control, *self.others]

    @property
    def ready(self) -> bool:
        ready = all(child.ready for child in self.children)
        self._was_ready = self._was_ready or ready
        return ready

    # --- who runs ----------------------------------------------------------------------------------------------

    def reap(self) -> Iterator[tuple[Child, int, int]]:
        """The children that have ended: which place, which process, which exit status."""
        for child in self.everybody:
            if child.running:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid:
                    child.ended()
                    yield child, pid, os.waitstatus_to_exitcode(status)
        self.leavers = [child for child in self.leavers if child.running]

    def start_again(self, closing: Callable[[Child], Callable[[], None]]) -> None:
        now = time.monotonic()
        for child in self.children:
            if not child.running and child.start_at <= now:
                child.start(closing(child))

    def patience(self, longest: float) -> float:
        """Seconds until a child is to be started again, ``longest`` at most."""
        now = time.monotonic()
        waits = [child.start_at - now for child in self.children if not child.running]
        return min(max(min(waits, default=longest), 0.0), longest)

    def replace(self, child: Child) -> None:
        """``child`` has said that it goes: start another process in its place, while it finishes."""
        if child in self.children:
            self.leavers.append(child.give_up_place())

    # --- sockets -----------------------------------------------------------------------------------------------

    def inheritance(self) -> tuple[InheritedSockets, ...]:
        return self._listeners.inheritance() + self._whoami.inheritance()

    def close_doors(self, but: Child | None = None) -> None:
        """Close every listening socket, except those of one child."""
        kept: list[socket.socket] = []
        if but in self.workers:
            kept = [each for sockets in self._sockets(self.workers.index(but)).values() for each in sockets]
        self._listeners.close(kept)
        if but not in self.others:
            self._whoami.close()

    def _sockets(self, index: int) -> dict[str, list[socket.socket]]:
        return self._listeners.of_worker(index)

    # --- what each child runs; imported only there -----------------------------------------------------------------

    def _child(self, name: str, main: Main) -> Child:
        def logged(notifier: Notifier) -> None:
            from doorward.observe import log_lines

            log_lines.start(self._plan.log.level, self._plan.log.format, self._plan.log.file)
            main(notifier)

        return Child(name, logged)

    def _identity_main(self, notifier: Notifier) -> None:
        from doorward.assembly import identity_process

        identity_process.run(self._plan, self._folder, notifier)

    def _control_main(self, notifier: Notifier) -> None:
        from doorward.assembly import control_process

        control_process.run(self._plan, self._folder, notifier)

    def _worker_main(self, index: int) -> Callable[[Notifier], None]:
        def main(notifier: Notifier) -> None:
            from doorward.assembly import worker_process

            # Nobody waits for the first ones. In the place of others they answer nothing that those would have known.
            patience = inf if self._takes_over and not self._was_ready else LATE_PATIENCE if self._was_ready else 0.0
            worker_process.run(self._plan, self._folder, index, self._sockets(index), patience, notifier)

        return main

    def _whoami_main(self, notifier: Notifier) -> None:
        from doorward.assembly import whoami_process

        whoami_process.run(self._plan, self._whoami.of_worker(0)["whoami"][0], notifier)


def send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def become_keeper(pid: int, pid_file: Path) -> NoReturn:
    """Turn this process into the keeper of another supervisor (see there); never returns."""
    # Supervisors whose parents have ended become ours, so that we hear of their end.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.pthread_sigmask(signal.SIG_BLOCK, keeper.SIGNALS)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-I", "-S", keeper.__file__, str(pid), str(pid_file)])  # noqa: S606
