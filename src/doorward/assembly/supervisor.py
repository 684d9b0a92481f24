"""The parent of the process tree: makes the sockets, forks the children, starts again what dies, stops them all.

It stays as small as the command line left it (no configuration library, no event loop, no thread), because every
worker is a fork of it and must carry nothing that it does not need. See docs/decisions/0001-processes.md.

Ctrl-C and SIGTERM stop the tree: workers drain first, then everything they depend on goes. SIGHUP reloads the
configuration, SIGUSR1 reopens the logs. A second Ctrl-C does not wait. A new version takes over in three steps:
it is started beside this tree with the sockets of this one, it says that it is ready, and this tree drains.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

from doorward import __version__
from doorward.assembly import listening, state_folder, tree
from doorward.assembly.announcement import Announcer
from doorward.assembly.children import Child
from doorward.assembly.service_notices import ServiceNotices
from doorward.assembly.succession import Succession
from doorward.assembly.supervisor_door import SupervisorDoor
from doorward.assembly.takeover import Takeover
from doorward.messages.handover import Handover, NotTakenOver, Running, Saying, TakenOver, TakeOver, Wish
from doorward.messages.plan import NoRoutes, Notice, Plan, Progress, Reloaded

TURN = 0.25
"""Seconds between two looks at the clock when nothing happens."""
STOP_EXTRA = 3.0
"""Seconds beyond the drain before a child is killed."""


class Supervisor:
    def __init__(
        self,
        plan: Plan,
        folder: state_folder.StateFolder,
        lock: int,
        announcer: Announcer,
        succession: Succession | None,
        notices: ServiceNotices,
    ) -> None:
        """``succession``: what the former version gave us, if we take over from one."""
        self._plan = plan
        self._folder = folder
        self._lock = lock
        self._announcer = announcer
        self._succession = succession
        self._notices = notices
        self._tree = tree.Tree(plan, folder, succession)
        self._door = SupervisorDoor(folder.own_supervisor_socket, self._asked)
        self._takeover: Takeover | None = None
        self._in_command = False
        self._reloading = False
        """systemd waits to hear that the configuration has been read again."""
        self._stopping = False
        self._impatient = False
        self._wake, self._woken = socket.socketpair()
        self._signals: list[int] = []

    def run(self) -> int:
        """Until told to stop. Returns the exit status."""
        self._catch_signals()
        if self._succession is None:
            self._command()
        for child in self._tree.children:
            child.start(self._closing(child))
        status = 0
        while not self._stopping:
            self._turn(self._tree.patience(TURN))
            failed = next((child for child in self._tree.children if child.failed and not child.running), None)
            if failed is not None:
                self._announcer.failed(failed.name, failed.failed)
                if self._succession is not None:
                    self._succession.failed(failed.failed)
                status = 1
                break
            self._tree.start_again(self._closing)
            if self._tree.ready:
                self._ready()
            self._look_at_takeover()
        self._stop()
        self._folder.close()
        return status

    @property
    def successor(self) -> int:
        """Process number of the supervisor that has taken over; 0 when none has."""
        return self._takeover.pid if self._takeover is not None and self._takeover.ready else 0

    def _ready(self) -> None:
        """Everything answers."""
        if self._announcer.ready():
            if not self._in_command:
                self._command()
            if self._succession is not None:
                self._succession.ready()
            self._notices.ready(f"serving; identity provider at {self._plan.identity.external_url}")

    def _command(self) -> None:
        self._in_command = True
        self._folder.command()

    # --- one turn ----------------------------------------------------------------------------------------------

    def _turn(self, seconds: float) -> None:
        """Wait for a signal, a notice or a question; reap what ended."""
        readers: dict[int, Callable[[], None]] = {self._wake.fileno(): self._awake, **self._door.readers()}
        for child in self._tree.everybody:
            if child.running:
                readers[child.pipe] = partial(self._hear, child)
        if self._takeover is not None and self._takeover.running:
            readers[self._takeover.pipe] = self._takeover.read
        readable, _, _ = select.select(list(readers), [], [], seconds)
        for ready in readable:
            readers[ready]()
        for number in self._signals:
            self._on_signal(signal.Signals(number))
        self._signals.clear()
        for child, pid, status in self._tree.reap():
            if not self._stopping and not child.failed and not child.leaving:
                self._announcer.ended(child.name, pid, status)
        self._notices.alive(time.monotonic())

    def _awake(self) -> None:
        self._wake.recv(4096)

    def _hear(self, child: Child) -> None:
        for notice in child.read():
            self._take(notice)
        if child.leaving and not self._stopping:
            self._tree.replace(child)

    def _take(self, notice: Notice) -> None:
        self._announcer.notice(notice)
        if isinstance(notice, Reloaded):
            if self._reloading:
                self._reloading = False
                self._notices.reloaded()
        elif self._succession is not None and not self._in_command:
            if isinstance(notice, Progress):
                self._succession.say(notice)
            elif isinstance(notice, NoRoutes):
                self._succession.failed(f"the configuration cannot be used:\n{notice.why}")

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
        if self.successor and number != signal.SIGCHLD:
            tree.send(self.successor, number)
        elif number in (signal.SIGTERM, signal.SIGINT):
            self._impatient = self._stopping
            self._stopping = True
        elif number == signal.SIGHUP:
            if self._tree.ready:
                self._reloading = True
                self._notices.reloading()
            self._tree.control.send(signal.SIGHUP)
        elif number == signal.SIGUSR1:
            self._announcer.reopen_log()
            for child in self._tree.everybody:
                child.send(signal.SIGUSR1)

    # --- handing over ------------------------------------------------------------------------------------------

    def _asked(self, wish: Wish) -> None:
        if not isinstance(wish, TakeOver):
            self._door.say(Running(__version__, os.getpid(), self._plan.config_file, self._plan.demo))
            self._door.waits()
        elif self._takeover is not None or not self._tree.ready:
            busy = "the one that was started before is still ending" if self._takeover else "the program is not ready"
            self._door.end(NotTakenOver(f"not now: {busy}; try again in a moment"))
        else:
            self._takeover = Takeover(wish, partial(self._handover, wish), lambda text: self._door.say(Saying(text)))

    def _handover(self, wish: TakeOver, said: int) -> Handover:
        kept = not self._notices.wanted or (self._succession is not None and self._succession.handover.kept)
        return Handover(wish.plan, os.getpid(), self._tree.inheritance(), self._lock, said, kept)

    def _look_at_takeover(self) -> None:
        """Go when the new version is ready; forget it when it will not be."""
        takeover = self._takeover
        if takeover is None:
            return
        takeover.tick()
        if takeover.ready:
            self._announcer.taken_over(takeover.pid)
            self._door.end(TakenOver(takeover.pid))
            self._notices.successor(takeover.pid)
            self._stopping = True
        elif takeover.failed:
            takeover.end()
            self._door.end(NotTakenOver(takeover.failed))
            if not takeover.running:
                self._announcer.not_taken_over(takeover.failed)
                takeover.close()
                self._takeover = None

    # --- stopping ----------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """Workers first: what is in flight still needs the identity provider and the application."""
        self._stopping = True
        self._door.close()
        if self._takeover is not None and not self._takeover.ready:
            self._takeover.end()
        others_go_on = bool(self.successor) or not self._in_command
        if not others_go_on:
            self._notices.stopping()
        self._end(self._tree.workers + self._tree.leavers, signal.SIGUSR2 if others_go_on else signal.SIGTERM)
        self._end(self._tree.behind_workers, signal.SIGTERM)

    def _end(self, children: list[Child], how: signal.Signals) -> None:
        for child in children:
            child.send(how)
        deadline = time.monotonic() + self._plan.grace + STOP_EXTRA
        while any(child.running for child in children):
            if all(child.leaving for child in children if child.running):
                self._tree.close_doors()  # whoever connects now is refused, instead of waiting for nobody
            if self._impatient or time.monotonic() > deadline:
                for child in children:
                    child.send(signal.SIGKILL)
            self._turn(TURN)

    def _closing(self, child: Child) -> Callable[[], None]:
        """What ``child`` closes first: whatever is not its own, above all the sockets that others listen on."""

        def close() -> None:
            self._wake.close()
            self._woken.close()
            self._door.close()
            if self._succession is not None:
                self._succession.close()
            if self._takeover is not None:
                self._takeover.close()
            self._tree.close_doors(but=child)

        return close


def supervise(plan: Plan, succession: Succession | None = None) -> int:
    """Run the program that ``plan`` describes until it is told to stop; returns the exit status."""
    try:
        announcer = Announcer(plan, succession.handover.elder if succession is not None else 0)
    except OSError as error:
        print(f"doorward: log.filePath: {plan.log.file}: {error.strerror}", file=sys.stderr)  # noqa: T201
        if succession is not None:
            succession.failed(f"log.filePath: {plan.log.file}: {error.strerror}")
        return 1
    notices = ServiceNotices(os.environ)
    path = Path(plan.state_folder)
    folder = None
    try:
        state_folder.make(path)
        lock = succession.handover.lock if succession is not None else state_folder.locked(path)
        folder = state_folder.opened(path, beside=succession is not None)
        supervisor = Supervisor(plan, folder, lock, announcer, succession, notices)
    except (state_folder.StateFolderUnusable, listening.PortUnusable) as error:
        print(f"doorward: {error}", file=sys.stderr)  # noqa: T201
        if succession is not None:
            succession.failed(str(error))
        if folder is not None:
            folder.close()
        return 1
    status = supervisor.run()
    if supervisor.successor and not notices.wanted and not (succession is not None and succession.handover.kept):
        tree.become_keeper(supervisor.successor, folder.pid_file)
    os.close(lock)
    return status
