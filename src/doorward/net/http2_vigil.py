"""Whether a server that has requests to answer is still there: after a long silence it is asked for a sign of life."""

from __future__ import annotations

from collections.abc import Callable


class Vigil:
    """Over one connection. Times are monotonic, in seconds."""

    __slots__ = ("_heard", "_pinged")

    def __init__(self, now: float) -> None:
        self._heard = now
        self._pinged = 0.0
        """When it was asked for a sign of life that it still owes; 0: it was not."""

    def heard(self, now: float) -> None:
        """The server said something."""
        self._heard = now
        self._pinged = 0.0

    def keep(self, now: float, read_idle: float, answer_within: float, ping: Callable[[], None]) -> bool:
        """Call ``ping`` after ``read_idle`` seconds of silence (0: never). False: it is not there any more."""
        if self._pinged:
            return now - self._pinged <= answer_within
        if read_idle and now - self._heard > read_idle:
            self._pinged = now
            ping()
        return True
