"""The sockets on which the program listens: made once by the supervisor, inherited by the workers, handed on to a new
version.

Each worker has its own socket on each port (``SO_REUSEPORT``), so the kernel spreads connections. The supervisor
keeps them all open: when a worker dies, connections wait in its backlog until its successor takes over. Sockets that
we were given (socket activation) belong to all workers together.

A socket that somebody may be waiting in is never closed as long as the program listens on its address: a new version
takes all of them over, whatever its number of workers.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from doorward.messages.entry_points import EntryPoint
from doorward.messages.handover import InheritedSockets

BACKLOG = 1024


class PortUnusable(Exception):
    """An address cannot be listened on: taken by another program, or not ours to take."""


@dataclass(slots=True)
class Listener:
    """All sockets on one address."""

    point: EntryPoint
    sockets: list[socket.socket]
    shared: bool

    def of_worker(self, index: int, workers: int) -> list[socket.socket]:
        return self.sockets if self.shared else self.sockets[index::workers]


class Given:
    """Sockets that exist already; each can be taken once."""

    def __init__(self, sockets: Iterable[InheritedSockets]) -> None:
        self._left = {(each.host, each.port): each for each in sockets}

    def take(self, point: EntryPoint) -> InheritedSockets | None:
        return self._left.pop((point.host, point.port), None)

    def close(self) -> None:
        """Nobody wants the rest."""
        for sockets in self._left.values():
            for descriptor in sockets.descriptors:
                os.close(descriptor)
        self._left.clear()


class Listeners:
    """The sockets of some entry points."""

    def __init__(self, points: Sequence[EntryPoint], workers: int, given: Given) -> None:
        """Raises PortUnusable."""
        self._workers = workers
        self._listeners: list[Listener] = []
        for point in points:
            inherited = given.take(point)
            self._listeners.append(_adopt(point, inherited, workers) if inherited else _open(point, workers))

    def of_worker(self, index: int) -> dict[str, list[socket.socket]]:
        """What the worker accepts from, by entry point."""
        return {listener.point.name: listener.of_worker(index, self._workers) for listener in self._listeners}

    def inheritance(self) -> tuple[InheritedSockets, ...]:
        """What a new version is told of them."""
        return tuple(
            InheritedSockets(
                listener.point.host,
                listener.point.port,
                tuple(each.fileno() for each in listener.sockets),
                listener.shared,
            )
            for listener in self._listeners
        )

    def close(self, but: Iterable[socket.socket] = ()) -> None:
        """In a child: all that are not its own. At the end: all."""
        kept = set(but)
        for listener in self._listeners:
            for each in listener.sockets:
                if each not in kept:
                    each.close()


def _adopt(point: EntryPoint, inherited: InheritedSockets, workers: int) -> Listener:
    sockets = [socket.socket(fileno=descriptor) for descriptor in inherited.descriptors]
    for each in sockets:
        each.setblocking(False)
        each.set_inheritable(False)
    if inherited.shared or len(sockets) >= workers:
        return Listener(point, sockets, inherited.shared)
    return Listener(point, sockets + [_listen(point) for _ in range(workers - len(sockets))], shared=False)


def _open(point: EntryPoint, workers: int) -> Listener:
    # Without SO_REUSEPORT: sharing a port with another Doorward of the same user would go unnoticed.
    _bind(point, shared=False).close()
    return Listener(point, [_listen(point) for _ in range(workers)], shared=False)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host or (not host and socket.has_dualstack_ipv6()) else socket.AF_INET


def _bind(entry_point: EntryPoint, *, shared: bool) -> socket.socket:
    family = _family(entry_point.host)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1 if entry_point.host else 0)
        listener.bind((entry_point.host, entry_point.port))
    except OSError as error:
        listener.close()
        raise PortUnusable(_why(entry_point, error)) from error
    return listener


def _listen(entry_point: EntryPoint) -> socket.socket:
    listener = _bind(entry_point, shared=True)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def _why(entry_point: EntryPoint, error: OSError) -> str:
    address = f"{entry_point.host or '*'}:{entry_point.port}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"entry point {entry_point.name}: another program is listening on {address}. Stop it "
            f"(ss -ltnp 'sport = :{entry_point.port}' names it) or choose another port."
        )
    if error.errno == errno.EACCES:
        return (
            f"entry point {entry_point.name}: no right to listen on {address}; "
            f"ports below 1024 need root or CAP_NET_BIND_SERVICE."
        )
    return f"entry point {entry_point.name}: cannot listen on {address}: {error.strerror}."
