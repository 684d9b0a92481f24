"""How many connections there are, of whom, and whether there is room for one more.

Per peer and entry point there is a limit, over which connections are refused. Per worker there is the number of file
descriptors: when half of them are taken (each client may need a connection to a server as well) the doors are shut
and new connections wait, until some have left (S-921).
"""

from __future__ import annotations

from collections.abc import Callable

MAX_CONNECTIONS = 10_000
MAX_PER_PEER = 256


class Capacity:
    """All client connections of a worker."""

    def __init__(self, most: int, shut: Callable[[bool], None]) -> None:
        """``shut`` is called with True when there is no room, and with False when there is again."""
        self._most = most
        self._taken = 0
        self._is_shut = False
        self._shut = shut

    def take(self) -> None:
        self._taken += 1
        if self._taken >= self._most and not self._is_shut:
            self._is_shut = True
            self._shut(True)

    def give_back(self) -> None:
        self._taken -= 1
        if self._is_shut and self._taken <= self._most * 9 // 10:
            self._is_shut = False
            self._shut(False)


class Headcount:
    """The connections of one entry point, those included that are still on their way in."""

    def __init__(self, capacity: Capacity, speaks_for_many: Callable[[str], bool]) -> None:
        """``speaks_for_many``: whether the address of a peer carries many people's connections."""
        self._capacity = capacity
        self._speaks_for_many = speaks_for_many
        self._per_peer: dict[str, int] = {}
        self._all = 0

    def enter(self, peer: str) -> bool:
        """Count a connection of ``peer``. False, and not counted, when there are too many: of all, or of its peer."""
        count = self._per_peer.get(peer, 0) + 1
        if self._all >= MAX_CONNECTIONS or (count > MAX_PER_PEER and not self._speaks_for_many(peer)):
            return False
        self._per_peer[peer] = count
        self._all += 1
        self._capacity.take()
        return True

    def leave(self, peer: str) -> None:
        """A connection that was counted is closed."""
        left = self._per_peer[peer] - 1
        if left:
            self._per_peer[peer] = left
        else:
            del self._per_peer[peer]
        self._all -= 1
        self._capacity.give_back()
