"""A slow auth server must not hold up the hosts that do not need it (S-919).

At most 256 requests wait for one auth server; the next is refused at once with 503.
"""

from __future__ import annotations

from doorward.net.asking import Patience

TIMEOUT = 10.0
"""Seconds that one question may take in all, connecting included."""
MOST_WAITING = 256


class Bulkhead:
    """Counts who waits for one auth server."""

    __slots__ = ("patience", "waiting")

    def __init__(self) -> None:
        self.waiting = 0
        """Those that wait in a task; the others have ``patience``."""
        self.patience = Patience(TIMEOUT)

    @property
    def full(self) -> bool:
        return self.waiting + len(self.patience) >= MOST_WAITING

    def __enter__(self) -> None:
        self.waiting += 1

    def __exit__(self, *_: object) -> None:
        self.waiting -= 1


class Bulkheads:
    """One bulkhead per auth server, whatever number of middlewares asks it."""

    def __init__(self) -> None:
        self._by_server: dict[str, Bulkhead] = {}

    def of(self, server: str) -> Bulkhead:
        """The bulkhead of ``server``, named by scheme, host and port."""
        return self._by_server.setdefault(server, Bulkhead())
