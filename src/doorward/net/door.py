"""One listening socket: opened, looked through, shut for a while, closed.

Two ways to accept. Where nothing has to be known before the first request, the event loop accepts by itself, at the
least cost. Where a connection must be looked at first (TLS, PROXY protocol), we accept and make an ``Opening`` of
it. Which way is right can change with every routing table, while connections come in: both ways accept from the same
socket, and nothing that waits in its backlog is lost in between.

When there are no file descriptors left, accepting pauses instead of trying again and again (S-921).
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

BATCH = 16
"""Connections that are accepted in one turn of the loop."""
PAUSE = 1.0
"""Seconds until accepting is tried again."""

_EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_log = logging.getLogger("doorward.proxy")


class Door:
    """See the module. Open after ``open``, until ``close``."""

    def __init__(
        self,
        listener: socket.socket,
        serve: Callable[[], asyncio.Protocol],
        came: Callable[[socket.socket, str], None],
    ) -> None:
        """``listener`` becomes ours. ``serve`` makes the protocol of a connection that need not be looked at; ``came``
        takes one that must be, with the address of its other end."""
        self._listener = listener
        self._serve = serve
        self._came = came
        self._looks = False
        self._shut = False
        self._closed = False
        self._reading = False
        self._server: asyncio.Server | None = None
        self._starting: asyncio.Task[None] | None = None
        self._pause: asyncio.TimerHandle | None = None

    async def open(self, looks: bool) -> None:
        """Accept. ``looks``: every connection is looked at first."""
        self._looks = looks
        self._arrange()
        if self._starting is not None:
            await self._starting

    def look(self, looks: bool) -> None:
        """From now on look at every connection, or do not."""
        self._looks = looks
        self._arrange()

    def shut(self, shut: bool) -> None:
        """Accept nothing for now; connections wait in the backlog."""
        self._shut = shut
        self._arrange()

    def close(self) -> None:
        """Accept nothing any more."""
        self._closed = True
        self._arrange()
        if self._pause is not None:
            self._pause.cancel()
        self._listener.close()

    def _arrange(self) -> None:
        """Make what is what should be."""
        accepting = not (self._shut or self._closed or self._pause is not None)
        by_us, by_loop = accepting and self._looks, accepting and not self._looks
        if by_us != self._reading:
            self._reading = by_us
            loop = asyncio.get_running_loop()
            if by_us:
                loop.add_reader(self._listener.fileno(), self._accept)
            else:
                loop.remove_reader(self._listener.fileno())
        if by_loop and self._server is None and self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())
        elif not by_loop and self._server is not None:
            self._server.close()
            self._server = None

    async def _start(self) -> None:
        """The loop gets a socket of its own, the same one under another number: what it closes is not ours."""
        try:
            try:
                twin = self._listener.dup()
            except OSError:
                self._rest()
                return
            self._server = await asyncio.get_running_loop().create_server(self._serve, sock=twin, backlog=1024)
        finally:
            self._starting = None
        self._arrange()

    def _accept(self) -> None:
        for _ in range(BATCH):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    _log.warning("accept.paused: %s", error.strerror)
                    self._rest()
                    return
                continue  # that one connection was gone before we took it
            connection.setblocking(False)
            self._came(connection, str(address[0]).partition("%")[0])

    def _rest(self) -> None:
        self._pause = asyncio.get_running_loop().call_later(PAUSE, self._go_on)
        self._arrange()

    def _go_on(self) -> None:
        self._pause = None
        self._arrange()
