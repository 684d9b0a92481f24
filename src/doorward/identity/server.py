"""Serve the identity provider: waitress on three Unix sockets, one loop, eight threads.

The public pages, the data plane's private questions and the outposts' token requests have threads of their own. A
crowd at the login page cannot keep a worker from finding a session, nor those who have logged in from coming in:
otherwise the redemption of their codes would wait behind the pages of those who came after them, and time out.
All sockets are mode 0600 in a folder of mode 0700: only our own
processes can connect, which is why ``X-Forwarded-*`` may be believed (``web.middleware.requests``).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.server import create_server

from doorward.identity.allocator import give_back_at_once
from doorward.identity.bootstrap import set_up_django

PUBLIC_THREADS = 4
RPC_THREADS = 2
BACK_THREADS = 2
SWITCH_INTERVAL = 0.0005
"""Seconds that a thread computes before another gets its turn. Whoever comes back from the database waits that long for
each thread that computes, and with the right to write in its hand everybody else waits with it."""
PUBLIC_CONNECTIONS = 1000
ALL_CONNECTIONS = 4000
"""The doors are counted together: a crowd at the public one must leave the private one room."""
GRACE = 10.0
"""Seconds that requests in flight are given to finish after SIGTERM."""
LARGEST_BODY = 1 << 20
LARGEST_HEAD = 128 << 10
"""The worker in front allows 64 KiB and adds a few fields of its own."""


def serve(public_socket: Path, rpc_socket: Path, back_socket: Path, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM, then finish what runs. Calls ``ready`` when all sockets take requests.

    The database must have been prepared (``bootstrap.prepare``). To be called in the main thread. Raises OSError.
    """
    set_up_django()
    sys.setswitchinterval(SWITCH_INTERVAL)
    # Only now can the pages and their models be imported.
    from django.core.wsgi import get_wsgi_application
    from django.urls import get_resolver

    from doorward.identity.blueprints import watching as blueprints
    from doorward.identity.chores import runner as chores
    from doorward.identity.mail import sender
    from doorward.identity.rpc.app import app as rpc

    public = get_wsgi_application()
    _ = get_resolver().url_patterns  # a page that cannot be imported stops the start, not its first visitor
    give_back_at_once()
    doors = Doors()
    doors.open(public_socket, public, PUBLIC_THREADS, PUBLIC_CONNECTIONS)
    doors.open(rpc_socket, rpc, RPC_THREADS, ALL_CONNECTIONS)
    doors.open(back_socket, public, BACK_THREADS, ALL_CONNECTIONS)
    signal.signal(signal.SIGTERM, doors.stop)
    sender.wake()  # letters that the last run could not send any more
    ready()
    chores.start()
    blueprints.start()
    doors.run()
    blueprints.stop()
    chores.stop()


class Doors:
    """Several waitress servers in one loop, and an orderly end."""

    def __init__(self) -> None:
        self._map: dict[int, Any] = {}
        self._servers: list[Any] = []
        self._stopping = False

    def open(self, path: Path, app: WSGIApplication, threads: int, connections: int) -> None:
        """Listen on a Unix socket that only this user can open; stop accepting at ``connections`` of all doors."""
        former = os.umask(0o177)  # no moment in which others could connect
        try:
            server = create_server(
                app,
                map=self._map,
                unix_socket=str(path),
                unix_socket_perms="600",
                threads=threads,
                ident=None,
                clear_untrusted_proxy_headers=False,
                max_request_body_size=LARGEST_BODY,
                max_request_header_size=LARGEST_HEAD,
                connection_limit=connections,
                channel_timeout=300,
                log_socket_errors=False,
                expose_tracebacks=False,
                asyncore_use_poll=True,
            )
        finally:
            os.umask(former)
        self._servers.append(server)

    def stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Signal handler: accept nothing more."""
        self._stopping = True
        for server in self._servers:
            server.pull_trigger()

    def run(self) -> None:
        """The loop; returns after ``stop``, when what ran has been answered or GRACE is over."""
        while not self._stopping:
            self._turn(30.0)
        for _ in range(3):  # whoever connected and asked before the signal: accept, read, begin
            self._turn(0)
        for server in self._servers:
            server.del_channel()
            server.socket.close()
        end = time.monotonic() + GRACE
        while self._channels() and time.monotonic() < end:
            for channel in self._channels():
                if not channel.requests and not channel.total_outbufs_len:
                    channel.handle_close()
            self._turn(0.1)
        for server in self._servers:
            server.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map, ignore_all=True)

    def _turn(self, patience: float) -> None:
        wasyncore.loop(timeout=patience, use_poll=True, map=self._map, count=1)

    def _channels(self) -> list[Any]:
        return [channel for server in self._servers for channel in list(server.active_channels.values())]
