"""A client whose socket is full, and how long it has taken nothing out of it (S-902)."""

from __future__ import annotations

import asyncio
import time


class Stall:
    """Begins now. Whoever sweeps the connection asks about once a second."""

    __slots__ = ("_since", "_size", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._since = time.monotonic()
        self._size = transport.get_write_buffer_size()

    def lasts(self, now: float, limit: float) -> bool:
        """Whether the client has taken nothing for more than ``limit`` seconds; ``now`` is monotonic."""
        size = self._transport.get_write_buffer_size()
        if size < self._size:
            self._since = now
        self._size = size
        return now - self._since > limit
