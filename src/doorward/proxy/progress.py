"""Whether a request's body comes along fast enough: 500 bytes a second after ten seconds of grace (S-902), and within
the time that an operator gives to a whole request, if one is given."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

GRACE = 10.0
"""Seconds."""
MIN_RATE = 500
"""Bytes a second, on the average since the grace ended."""


@dataclass(slots=True)
class Progress:
    since: float
    """Monotonic seconds; time that does not count moves it forward."""
    limit: float = inf
    """Seconds that a request may take, body included."""
    received: int = 0
    checked: float = 0.0

    def too_slow(self, now: float, excused: bool) -> bool:
        """Called now and then; ``excused``: since the last call the client could not or need not send."""
        if excused:
            self.since += now - max(self.checked, self.since)
        self.checked = now
        taken = now - self.since
        return taken > self.limit or self.received < MIN_RATE * (taken - GRACE)
