"""Whether a request's body comes along fast enough: 500 bytes a second after ten seconds of grace (S-902)."""

from __future__ import annotations

from dataclasses import dataclass

GRACE = 10.0
"""Seconds."""
MIN_RATE = 500
"""Bytes a second, on the average since the grace ended."""


@dataclass(slots=True)
class Progress:
    since: float
    """Monotonic seconds; time that does not count moves it forward."""
    received: int = 0
    checked: float = 0.0

    def too_slow(self, now: float, excused: bool) -> bool:
        """Called now and then; ``excused``: since the last call the client could not or need not send."""
        if excused:
            self.since += now - max(self.checked, self.since)
        self.checked = now
        return self.received < MIN_RATE * (now - self.since - GRACE)
