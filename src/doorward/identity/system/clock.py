"""Notices when the wall clock jumps: sessions and tokens end by it, and somebody should know why they suddenly did.

Two clocks run beside each other, and only one of them can be set. Where they drift apart by more than a minute between
two looks, the wall clock was set, or the machine slept (S-812).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor

LEAST = 60.0
"""Seconds. Less is how clocks are corrected all the time."""


class Watch:
    """Compares a clock that can be set with one that cannot; both tell seconds."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._apart = self._now()

    def jumped(self) -> bool:
        """Whether there is something to tell."""
        return abs(self._now() - self._apart) > LEAST

    def tell(self) -> None:
        """Record how far it jumped, and go on from there."""
        apart = self._now()
        seconds, self._apart = round(apart - self._apart), apart
        way = "ahead" if seconds > 0 else "back"
        events.record(
            "configuration_warning",
            "authentik.core",
            Actor.system(),
            message=f"The clock of this machine jumped {way} by {abs(seconds)} seconds. Logins, codes, tokens end by "
            "it: see that it is kept by a time service.",
            seconds=seconds,
        )

    def _now(self) -> float:
        return self._wall() - self._steady()


watch = Watch()
