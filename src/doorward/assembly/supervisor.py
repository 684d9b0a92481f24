"""The parent of the process tree: makes the sockets, forks the children, starts again what dies, stops them all.

It stays as small as the command line left it (no configuration library, no event loop, no thread), because every
worker is a fork of it and must carry nothing that it does not need. See docs/decisions/0001-processes.md.

Ctrl-C and SIGTERM stop the tree: workers drain first, then everything they depend on goes. SIGHUP reloads the
configuration, SIGUSR1 reopens the logs. A second Ctrl-C does not wait.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from doorward.assembly import listening, state_folder
from doorward.assembly.announcement import Announcer
from doorward.assembly.children import Child
from doorward.messages.plan import Plan

TURN = 0.25
"""Seconds between two looks at the clock when nothing happens."""
STOP_EXTRA = 3.0
"""Seconds beyond the drain before a child is killed."""


class Supervisor:
    def __init__(self, plan: Plan, folder: state_folder.StateFolder, announcer: Announcer) -> None:
        self._plan = plan
        self._folder = folder
        self._announcer = announcer
        self._sockets = listening.sockets_for(plan.entry_points, plan.workers)
        self._identity = Child("identity", _logging(plan, _identity_main(plan, folder)))
        self._control = Child("control", _logging(plan, _control_main(plan, folder)))
        self._workers = [
            Child(f"worker {index}", _logging(plan, _worker_main(plan, folder, index, sockets)))
            for index, sockets in enumerate(self._sockets)
        ]
        self._others = [Child("whoami", _logging(plan, _whoami_main(plan)))] if plan.demo is not None else []
        self._children = [self._identity, self._control, *self._workers, *self._others]
        self._stopping = False
        self._impatient = False
        self._wake, self._woken = socket.socketpair()
        self._signals: list[int] = []

    def run(self) -> int:
        """Until told to stop. Returns the exit status."""
        self._catch_signals()
        for child in self._children:
            child.start(self._closing(child))
        status = 0
        while not self._stopping:
            self._turn(TURN)
            failed = next((child for child in self._children if child.failed and not child.running), None)
            if failed is not None:
                self._announcer.failed(failed.name, failed.failed)
                status = 1
                break
            self._start_again()
            if all(child.ready for child in self._children):
                self._announcer.ready()
        self._stop()
        self._folder.close()
        return status

    # --- one turn ----------------------------------------------------------------------------------------------

    def _turn(self, seconds: float) -> None:
        """Wait for a signal or a notice; reap what ended."""
        pipes = {child.pipe: child for child in self._children if child.running}
        wake = self._wake.fileno()
        readable, _, _ = select.select([wake, *pipes], [], [], seconds)
        for ready in readable:
            if ready == wake:
                self._wake.recv(4096)
            else:
                for notice in pipes[ready].read():
                    self._announcer.notice(notice)
        for number in self._signals:
            self._on_signal(signal.Signals(number))
        self._signals.clear()
        self._reap()

    def _reap(self) -> None:
        for child in self._children:
            if child.running:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid:
                    child.ended()
                    if not self._stopping and not child.failed:
                        self._announcer.ended(child.name, pid, os.waitstatus_to_exitcode(status))

    def _start_again(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if not child.running and child.start_at <= now:
                child.start(self._closing(child))

    # --- signals -----------------------------------------------------------------------------------------------

    def _catch_signals(self) -> None:
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(number, self._note_signal)

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _on_signal(self, number: signal.Signals) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._impatient = self._stopping
            self._stopping = True
        elif number == signal.SIGHUP:
            self._control.send(signal.SIGHUP)
        elif number == signal.SIGUSR1:
            self._announcer.reopen_log()
            for child in self._children:
                child.send(signal.SIGUSR1)

    # --- stopping ----------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """Workers first: what is in flight still needs the identity provider and the application."""
        self._stopping = True
        self._end(self._workers, self._plan.grace)
        self._end([self._identity, self._control, *self._others], self._plan.grace)

    def _end(self, children: list[Child], grace: float) -> None:
        for child in children:
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + grace + STOP_EXTRA
        while any(child.running for child in children):
            if self._impatient or time.monotonic() > deadline:
                for child in children:
                    child.send(signal.SIGKILL)
            self._turn(TURN)

    def _closing(self, child: Child) -> Callable[[], None]:
        """What ``child`` closes first: whatever is not its own, above all the sockets that others listen on."""

        def close() -> None:
            self._wake.close()
            self._woken.close()
            for worker, sockets in zip(self._workers, self._sockets, strict=True):
                if worker is not child:
                    for listener in sockets.values():
                        listener.close()

        return close


# --- what each child runs; imported only there -------------------------------------------------------------------


def _logging(plan: Plan, main: Callable[..., None]) -> Callable[..., None]:
    """``main``, with the log that the plan asks for."""

    def logged(notifier: object) -> None:
        from doorward.observe import log_lines

        log_lines.start(plan.log.level, plan.log.format, plan.log.file)
        main(notifier)

    return logged


def _identity_main(plan: Plan, folder: state_folder.StateFolder) -> Callable[..., None]:
    def main(notifier: object) -> None:
        from doorward.assembly import identity_process

        identity_process.run(plan, folder, notifier)  # type: ignore[arg-type]

    return main


def _control_main(plan: Plan, folder: state_folder.StateFolder) -> Callable[..., None]:
    def main(notifier: object) -> None:
        from doorward.assembly import control_process

        control_process.run(plan, folder, notifier)  # type: ignore[arg-type]

    return main


def _worker_main(
    plan: Plan, folder: state_folder.StateFolder, index: int, sockets: dict[str, socket.socket]
) -> Callable[..., None]:
    def main(notifier: object) -> None:
        from doorward.assembly import worker_process

        worker_process.run(plan, folder, index, sockets, notifier)  # type: ignore[arg-type]

    return main


def _whoami_main(plan: Plan) -> Callable[..., None]:
    def main(notifier: object) -> None:
        from doorward.assembly import whoami_process

        whoami_process.run(plan, notifier)  # type: ignore[arg-type]

    return main


def supervise(plan: Plan) -> int:
    """Run the program that ``plan`` describes until it is told to stop; returns the exit status."""
    try:
        announcer = Announcer(plan)
    except OSError as error:
        print(f"doorward: log.filePath: {plan.log.file}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    try:
        state_folder.make(Path(plan.state_folder))
        lock = state_folder.locked(Path(plan.state_folder))
        folder = state_folder.opened(Path(plan.state_folder))
        supervisor = Supervisor(plan, folder, announcer)
    except (state_folder.StateFolderUnusable, listening.PortUnusable) as error:
        print(f"doorward: {error}", file=sys.stderr)  # noqa: T201
        return 1
    try:
        return supervisor.run()
    finally:
        os.close(lock)
