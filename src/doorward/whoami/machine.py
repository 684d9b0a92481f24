"""What the application tells about the machine it runs on: its name and its addresses."""

from __future__ import annotations

import fcntl
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv6Address
from pathlib import Path

_SIOCGIFADDR = 0x8915
"""Linux: the IPv4 address of an interface (netdevice(7))."""


@dataclass(frozen=True, slots=True)
class Machine:
    name: str
    """What the operator calls this instance; empty when nothing."""
    hostname: str
    addresses: tuple[str, ...]


def this_machine(name: str) -> Machine:
    """The machine as it is now: addresses may change while the program runs."""
    return Machine(name, socket.gethostname(), (*_ipv4(), *_ipv6()))


def _ipv4() -> list[str]:
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, interface in socket.if_nameindex():
            question = struct.pack("256s", interface.encode()[:15])
            try:
                answer = fcntl.ioctl(any_socket.fileno(), _SIOCGIFADDR, question)
            except OSError:
                continue  # the interface has no IPv4 address
            found.append(socket.inet_ntoa(answer[20:24]))
    return found


def _ipv6() -> list[str]:
    try:
        table = Path("/proc/net/if_inet6").read_text("ascii")
    except OSError:
        return []
    return [str(IPv6Address(int(line.split()[0], 16))) for line in table.splitlines()]
