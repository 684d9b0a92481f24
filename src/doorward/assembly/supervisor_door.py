"""The supervisor's socket: where ``doorward upgrade`` asks what runs, and wants the running program to hand over.

Mode 0600 in a folder of mode 0700, and whoever connects must be the owner or root: what is asked here is to run a
program. One asker at a time; the next one waits in the backlog. No event loop: the supervisor waits with ``select``.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from doorward.messages.handover import NotTakenOver, Said, Wish

LONGEST = 1 << 20
"""Bytes of a question."""
PATIENCE = 5.0
"""Seconds in which an asker must have asked, and must take what it is told."""


class SupervisorDoor:
    def __init__(self, path: Path, asked: Callable[[Wish], None]) -> None:
        """Listens at ``path``. ``asked`` answers by ``say`` and ``end``."""
        self._asked = asked
        self._asker: socket.socket | None = None
        self._since = 0.0
        self._unread = b""
        self._busy = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        former = os.umask(0o177)  # no moment in which others could connect
        try:
            self._listener.bind(str(path))
        finally:
            os.umask(former)
        self._listener.listen(4)
        self._listener.setblocking(False)

    def readers(self) -> dict[int, Callable[[], None]]:
        """Descriptors to wait for, and what to do when there is something to read."""
        if self._listener.fileno() < 0:
            return {}
        if self._asker is None:
            return {self._listener.fileno(): self._accept}
        if time.monotonic() > self._since + PATIENCE and not self._busy:
            self._leave()
            return {}
        return {self._asker.fileno(): self._read}

    def say(self, message: Said) -> None:
        """Tell the asker something; nothing happens when it has left."""
        if self._asker is not None:
            try:
                self._asker.settimeout(PATIENCE)
                self._asker.sendall(msgspec.json.encode(message) + b"\n")
            except OSError:
                self._leave()

    def end(self, message: Said) -> None:
        """Tell the asker the last thing."""
        self.say(message)
        self._leave()

    def close(self) -> None:
        self._leave()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            asker, _ = self._listener.accept()
            credentials = asker.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            if struct.unpack("3i", credentials)[1] not in (0, os.geteuid()):
                asker.close()
                return
            self._asker, self._since, self._unread, self._busy = asker, time.monotonic(), b"", False

    def _read(self) -> None:
        assert self._asker is not None
        try:
            self._asker.setblocking(False)
            data = self._asker.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._unread += data
        if not data or len(self._unread) > LONGEST:
            self._leave()
            return
        line, newline, rest = self._unread.partition(b"\n")
        if newline:
            self._unread = rest
            self._answer(line)

    def _answer(self, line: bytes) -> None:
        try:
            wish = msgspec.json.decode(line, type=Wish)
        except msgspec.DecodeError:
            self.end(NotTakenOver("the running version does not understand this command: restart it instead"))
            return
        self._since, self._busy = time.monotonic(), True
        self._asked(wish)

    def waits(self) -> None:
        """The asker has been answered, and may ask again."""
        self._busy = False

    def _leave(self) -> None:
        if self._asker is not None:
            self._asker.close()
            self._asker = None
