"""A client connection before its first request: what was found out while it came in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whose connection it is, and how it is encrypted."""

    peer: str
    """Address of the other end, or of the client for whom a trusted load balancer speaks."""
    tls_options: str = ""
    """Name of the set of TLS options of the handshake; empty without TLS."""
    opened: Callable[[], None] = lambda: None
    """To be called when the connection is made: it is no longer on its way in."""
