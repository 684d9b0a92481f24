"""File descriptors: as many as the system gives, and how many connections that carries (S-921)."""

from __future__ import annotations

import resource
from contextlib import suppress

RESERVE = 64
"""For files, listening sockets, the control channel, the identity provider's socket."""


def raise_limit() -> None:
    """Allow this process what its hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def room_for_connections() -> int:
    """Client connections that this process can hold: each may need one to a server as well."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return 1 << 20
    return max((soft - RESERVE) // 2, 8)
