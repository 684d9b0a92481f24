"""``responseHeaderTimeout``: how long a server may take to begin its response."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class HeaderWatch:
    """A timer that is set anew whenever it becomes the server's turn."""

    __slots__ = ("_late", "_seconds", "_timer")

    def __init__(self, seconds: float, late: Callable[[], None]) -> None:
        """``late`` is called when ``seconds`` have passed."""
        self._seconds = seconds
        self._late = late
        self._timer: asyncio.TimerHandle | None = None

    def look(self, waiting: bool) -> None:
        """Time runs from now on if the server alone is waited for, and stands still otherwise."""
        self.stop()
        if waiting:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._ring)

    def stop(self) -> None:
        """Nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self._late()
