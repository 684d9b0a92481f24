"""The running supervisor's part of a takeover: start the new version, hear how it goes, end it if it does not come up.

The new supervisor is a fresh program with everything that listens, the state folder's lock, and a pipe to say how it
goes. Nothing is taken from the running tree until it says that it is ready, so there is nothing to put back.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

import msgspec

from doorward.messages.handover import ENVIRONMENT, Handover, TakeOver
from doorward.messages.plan import ChildFailed, ChildReady, Notice, Progress

END_PATIENCE = 15.0
"""Seconds in which a new version that is not wanted must have ended by itself; it has connections to finish, too."""


class Takeover:
    """One attempt."""

    def __init__(self, wish: TakeOver, handover: Callable[[int], Handover], say: Callable[[str], None]) -> None:
        """Starts the new version. ``handover`` makes what it is given, from the number of the pipe that it is to write
        to; ``say`` takes its progress."""
        self._say = say
        self._unread = b""
        self._begun = time.monotonic()
        self._patience = wish.patience
        self._end_by = 0.0
        self.ready = False
        self.failed = ""
        """Why it will not take over."""
        self.pipe, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.pid = _start(wish.program, handover(writing))
        os.close(writing)

    @property
    def running(self) -> bool:
        return self.pid != 0

    def read(self) -> None:
        """Hear what it says."""
        try:
            data = os.read(self.pipe, 65536)
        except BlockingIOError:
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(msgspec.DecodeError):  # a newer version may say what we have no word for
                self._hear(msgspec.json.decode(line, type=Notice))

    def _hear(self, notice: Notice) -> None:
        if isinstance(notice, ChildReady):
            self.ready = not self.failed
        elif isinstance(notice, ChildFailed):
            self.failed = self.failed or notice.why
        elif isinstance(notice, Progress):
            self._say(notice.text)

    def tick(self) -> None:
        """Look at the clock, and whether it still lives."""
        if self.running:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.read()
                self.pid = 0
                code = os.waitstatus_to_exitcode(status)
                self.failed = self.failed or (
                    f"the new version ended with status {code} before it was ready; the log of the running program "
                    f"has what it said"
                )
                return
        now = time.monotonic()
        if not self.ready and not self.failed and now > self._begun + self._patience:
            self.failed = f"the new version was not ready after {self._patience:g} s"
        if self._end_by and now > self._end_by:
            self._send(signal.SIGKILL)

    def end(self) -> None:
        """It is not wanted any more."""
        if not self._end_by:
            self._end_by = time.monotonic() + END_PATIENCE
            self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def close(self) -> None:
        if self.pipe >= 0:
            os.close(self.pipe)
            self.pipe = -1


def _start(program: tuple[str, ...], handover: Handover) -> int:
    descriptor = os.memfd_create("doorward-handover", os.MFD_CLOEXEC)
    os.write(descriptor, msgspec.json.encode(handover))
    os.lseek(descriptor, 0, os.SEEK_SET)
    pid = os.fork()
    if pid == 0:
        try:
            # A group of its own: Ctrl-C goes to the first supervisor, which passes it on.
            os.setpgid(0, 0)
            listening = [each for sockets in handover.sockets for each in sockets.descriptors]
            for each in (descriptor, handover.lock, handover.said, *listening):
                os.set_inheritable(each, True)
            os.execve(program[0], program, {**os.environ, ENVIRONMENT: str(descriptor)})  # noqa: S606
        finally:
            os._exit(127)
    os.close(descriptor)
    return pid
