"""Forking and watching one child: what it runs, what it tells us, when it is started again."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from doorward.messages.plan import ChildFailed, ChildLeaving, ChildReady, Notice

PR_SET_PDEATHSIG = 1
BACK_OFF = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before the n-th new start in a row; a child that lived for CALM seconds starts the row again."""
CALM = 30.0


class Notifier:
    """The child's end of its notification pipe."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, notice: Notice) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._descriptor, msgspec.json.encode(notice) + b"\n")

    def ready(self) -> None:
        self.tell(ChildReady())

    def leaving(self) -> None:
        self.tell(ChildLeaving())


Main = Callable[[Notifier], None]


@dataclass(slots=True)
class Child:
    """One place in the process tree, and the process that fills it now."""

    name: str
    main: Main
    pid: int = 0
    ready: bool = False
    pipe: int = -1
    unread: bytes = b""
    started: float = 0.0
    starts: int = 0
    start_at: float = 0.0
    failed: str = ""
    leaving: bool = False
    """It has said that it accepts nothing more."""

    @property
    def running(self) -> bool:
        return self.pid != 0

    def start(self, close: Callable[[], None]) -> None:
        """Fork. ``close`` runs in the child first, to drop what belongs to the supervisor alone."""
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _become(self.name, self.main, writing, close, parent)
        os.close(writing)
        self.pid, self.pipe, self.ready, self.leaving, self.unread = pid, reading, False, False, b""
        self.started = time.monotonic()
        self.starts += 1

    def read(self) -> list[Notice]:
        """What the child has said since we last looked."""
        try:
            data = os.read(self.pipe, 65536)
        except BlockingIOError:
            return []
        *lines, self.unread = (self.unread + data).split(b"\n")
        notices = [msgspec.json.decode(line, type=Notice) for line in lines]
        self.ready = self.ready or any(isinstance(notice, ChildReady) for notice in notices)
        for notice in notices:
            if isinstance(notice, ChildFailed):
                self.failed = notice.why
            elif isinstance(notice, ChildLeaving):
                self.leaving = True
        return notices

    def ended(self) -> None:
        """The process is gone: plan the next one."""
        now = time.monotonic()
        self.read()
        os.close(self.pipe)
        self.pid, self.pipe, self.ready = 0, -1, False
        if now - self.started > CALM:
            self.starts = 1
        self.start_at = now + BACK_OFF[min(self.starts - 1, len(BACK_OFF) - 1)]

    def give_up_place(self) -> Child:
        """The process as a child of its own, so that another one can be started in its place at once."""
        leaver = replace(self)
        self.pid, self.pipe, self.ready, self.leaving, self.unread = 0, -1, False, False, b""
        self.start_at = time.monotonic()
        return leaver

    def send(self, number: signal.Signals) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _become(name: str, main: Main, writing: int, close: Callable[[], None], parent: int) -> None:
    """Life of the child process; never returns."""
    status = 1
    notifier = Notifier(writing)
    try:
        # Follow the supervisor even if it is killed without a chance to say so.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(0)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        close()
        gc.enable()
        main(notifier)
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001 - the last frame of a process: say what happened, then end
        print(f"doorward: the {name} process failed", file=sys.stderr)  # noqa: T201
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
