"""A bound on how often something may happen: so many at once, then so many per second."""

from __future__ import annotations


class TokenBucket:
    """Full at the start; time is passed in, in seconds of a clock that never goes back (S-812)."""

    __slots__ = ("_burst", "_level", "_rate", "_seen")

    def __init__(self, burst: int, rate: float, now: float) -> None:
        self._burst = float(burst)
        self._rate = rate
        self._level = float(burst)
        self._seen = now

    def take(self, now: float) -> bool:
        """One more happened: is that still within bounds?"""
        if now > self._seen:
            self._level = min(self._burst, self._level + (now - self._seen) * self._rate)
            self._seen = now
        self._level -= 1.0
        return self._level >= 0.0
