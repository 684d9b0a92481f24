"""``keepAliveMaxRequests`` and ``keepAliveMaxTime``: connections that end after a while, so that load balancers in
front of us spread their clients anew."""

from __future__ import annotations

import time


class ConnectionAge:
    """Of one connection, from now."""

    __slots__ = ("_ends", "_left")

    def __init__(self, requests: int, seconds: float) -> None:
        """0 of either is no limit."""
        self._left = requests or -1
        self._ends = time.monotonic() + seconds if seconds else 0.0

    def after_this_request(self) -> bool:
        """Asked once for each request: whether the connection is to be closed after it."""
        self._left -= 1
        return self._left == 0 or bool(self._ends and time.monotonic() >= self._ends)
