"""How quickly a server begins to answer, of late.

An average in which each answer counts a tenth, and which is forgotten with the time: a server that was slow once and
is avoided for it would otherwise never be asked again and never get a better name.
"""

from __future__ import annotations

_SHARE = 0.1
_HALF_LIFE = 10.0
"""Seconds."""


class Latency:
    __slots__ = ("_at", "_seconds")

    def __init__(self) -> None:
        self._seconds = 0.0
        self._at = 0.0

    def note(self, seconds: float, now: float) -> None:
        """An answer began after ``seconds``; ``now`` is monotonic."""
        known = self._seconds
        self._seconds = seconds if known == 0.0 else known + _SHARE * (seconds - known)
        self._at = now

    def seconds(self, now: float) -> float:
        """What to expect; 0 when nothing is known."""
        if self._seconds == 0.0:
            return 0.0
        return float(self._seconds * 0.5 ** ((now - self._at) / _HALF_LIFE))
