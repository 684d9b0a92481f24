"""A slow auth server must not hold up the hosts that do not need it (S-919).

At most 256 requests wait for one auth server; the next is refused at once with 503.
"""

from __future__ import annotations

MOST_WAITING = 256


class Bulkhead:
    """Counts who waits for one auth server."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting = 0

    @property
    def full(self) -> bool:
        return self.waiting >= MOST_WAITING

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
