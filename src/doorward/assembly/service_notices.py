"""Tells systemd how we are (``sd_notify(3)``, ``Type=notify`` or ``notify-reload``): datagrams to the socket that
``NOTIFY_SOCKET`` names. Without one nothing happens."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Mapping

BARRIER = 5.0
"""Seconds that systemd gets to take a notice before its sender may end."""


class ServiceNotices:
    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        interval = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._every = int(interval) / 2e6 if interval.isdecimal() and ours else 0.0
        self._due = 0.0

    @property
    def wanted(self) -> bool:
        """Somebody listens."""
        return bool(self._address)

    def ready(self, status: str) -> None:
        self._tell(f"READY=1\nSTATUS={status}\nMAINPID={os.getpid()}")

    def reloading(self) -> None:
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reloaded(self) -> None:
        self._tell("READY=1")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def alive(self, now: float) -> None:
        """To be called all the time: says so as often as the watchdog wants it."""
        if self._every and now >= self._due:
            self._due = now + self._every
            self._tell("WATCHDOG=1")

    def successor(self, pid: int) -> None:
        """Another process is the main one from now on. Returns when this has been taken note of."""
        self._tell(f"MAINPID={pid}\nREADY=1")
        if not self.wanted:
            return
        reading, writing = os.pipe()
        try:
            self._tell("BARRIER=1", writing)
        finally:
            os.close(writing)
        select.select([reading], [], [], BARRIER)  # closed on the other side, when everything before was read
        os.close(reading)

    def _tell(self, text: str, descriptor: int | None = None) -> None:
        if not self.wanted:
            return
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out,
            contextlib.suppress(OSError),
        ):
            out.connect(self._address)
            if descriptor is None:
                out.send(text.encode())
            else:
                socket.send_fds(out, [text.encode()], [descriptor])
