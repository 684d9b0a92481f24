"""The sockets on which the program listens, made once by the supervisor and inherited by the workers.

Each worker has its own socket on each port (``SO_REUSEPORT``), so the kernel spreads connections. The supervisor
keeps them all open: when a worker dies, connections wait in its backlog until its successor takes over.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

from doorward.messages.entry_points import EntryPoint

BACKLOG = 1024


class PortUnusable(Exception):
    """An address cannot be listened on: taken by another program, or not ours to take."""


def sockets_for(entry_points: Sequence[EntryPoint], workers: int) -> list[dict[str, socket.socket]]:
    """For each worker its socket for each entry point. Raises PortUnusable."""
    for entry_point in entry_points:
        _probe(entry_point)
    return [{point.name: _listen(point) for point in entry_points} for _ in range(workers)]


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


def _probe(entry_point: EntryPoint) -> None:
    """Without SO_REUSEPORT: sharing a port with an older Doorward of the same user would go unnoticed."""
    _bind(entry_point, shared=False).close()


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
