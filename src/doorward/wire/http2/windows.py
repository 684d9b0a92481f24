"""What a peer may still send before somebody took what it sent (RFC 9113 section 5.2)."""

from __future__ import annotations


class ReceiveWindow:
    """Of a stream or of a connection. The peer hears of free space when half of the window is free: often enough
    never to stop a peer whose data is taken, seldom enough to cost nothing."""

    __slots__ = ("_free", "_open", "_size", "held")

    def __init__(self, size: int) -> None:
        self._size = size
        self._open = size
        """What the peer believes it may send."""
        self._free = 0
        """What was taken and the peer does not know of."""
        self.held = 0
        """What arrived and was not taken."""

    def receive(self, size: int) -> bool:
        """``size`` bytes arrived: were they allowed?"""
        self._open -= size
        self.held += size
        return self._open >= 0

    def take(self, size: int) -> int:
        """``size`` of the bytes that arrived were taken. What to tell the peer that it may send more; mostly 0."""
        size = min(size, self.held)
        self.held -= size
        self._free += size
        if self._free * 2 < self._size:
            return 0
        increment, self._free = self._free, 0
        self._open += increment
        return increment
