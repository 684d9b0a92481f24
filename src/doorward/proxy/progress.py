"""Whether a request's body comes along fast enough: 500 bytes a second after ten seconds of grace (S-902), and within
the time that an operator gives to a whole request, if one is given.

A body that is one half of a conversation (gRPC) may rest, as a WebSocket may: for an hour without a byte either way."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

GRACE = 10.0
"""Seconds."""
MIN_RATE = 500
"""Bytes a second, on the average since the grace ended."""

REST = 3600.0
"""Seconds that neither side of a conversation needs to say anything."""


@dataclass(slots=True)
class Progress:
    since: float
    """Monotonic seconds; time that does not count moves it forward."""
    limit: float = inf
    """Seconds that a request may take, body included."""
    received: int = 0
    checked: float = 0.0
    sent: int = 0
    """Bytes of the response, which count in a conversation."""
    _resting: bool = False
    _moved: int = 0
    _begun: float = 0.0

    def let_rest(self) -> None:
        """From now on it is a conversation."""
        self._resting = True
        self._begun = self.since

    def too_slow(self, now: float, excused: bool) -> bool:
        """Called now and then; ``excused``: since the last call the client could not or need not send."""
        if self._resting:
            if self.received + self.sent != self._moved:
                self._moved, self.since = self.received + self.sent, now
            return now - self.since > REST or now - self._begun > self.limit
        if excused:
            self.since += now - max(self.checked, self.since)
        self.checked = now
        taken = now - self.since
        return taken > self.limit or self.received < MIN_RATE * (taken - GRACE)
