"""Socket activation: sockets that systemd has opened for us (``sd_listen_fds(3)``).

Each belongs to the entry point whose name it has (``FileDescriptorName=``), else to the one of its port.
"""

from __future__ import annotations

import os
import socket
from collections import defaultdict
from collections.abc import MutableMapping, Sequence

from doorward.assembly.listening import PortUnusable
from doorward.messages.entry_points import EntryPoint
from doorward.messages.handover import InheritedSockets

FIRST = 3
"""Number of the first descriptor."""


def take(
    points: Sequence[EntryPoint], environment: MutableMapping[str, str], first: int = FIRST
) -> list[InheritedSockets]:
    """The sockets that were opened for this very process, by entry point; the variables that speak of them are
    removed. Raises PortUnusable for one that belongs to no entry point."""
    pid, count = environment.pop("LISTEN_PID", ""), environment.pop("LISTEN_FDS", "0")
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    if pid != str(os.getpid()) or not count.isdecimal():
        return []
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place in range(int(count)):
        name = names[place] if place < len(names) else ""
        found[_owner(points, first + place, name).name].append(first + place)
    return [
        InheritedSockets(point.host, point.port, tuple(found[point.name]), shared=True)
        for point in points
        if point.name in found
    ]


def _owner(points: Sequence[EntryPoint], descriptor: int, name: str) -> EntryPoint:
    with socket.socket(fileno=os.dup(descriptor)) as given:
        listens = bool(given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        tcp = given.family in (socket.AF_INET, socket.AF_INET6) and given.type == socket.SOCK_STREAM
        address = given.getsockname()
    if tcp and listens:
        for point in points:
            if point.name == name:
                return point
        for point in points:
            if point.port == address[1]:
                return point
    raise PortUnusable(
        f"the socket {name or descriptor} that systemd opened ({address}) belongs to no entry point. "
        f"FileDescriptorName= in the socket unit must be one of: {', '.join(point.name for point in points)}."
    )
