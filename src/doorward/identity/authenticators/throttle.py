"""How often second factors may be guessed: ten times per user and hour, whatever the login or the device (S-511).

Whoever guesses here knows the password already. An attempt is *reserved* before the code is looked at, so that fifty
at once cannot all be looked at (S-506); success gives back its own reservation and no other's. When the hour is used
up, codes are suspended and the user is told; keys and passkeys cannot be guessed and go on working, so that nobody
can lock a user out (S-509).

Kept in this process's memory, on the monotonic clock (S-812): ten more tries after a restart are worth nothing.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

PER_LOGIN = 5
"""Wrong answers after which the login is cancelled."""
PER_HOUR = 10
HOUR = 3600.0
"""Seconds."""
LARGEST = 20_000
"""Users with failures that are remembered; the one that failed longest ago goes first."""


@dataclass(slots=True)
class _Count:
    moments: list[float] = field(default_factory=list)
    told: bool = False


class Reserved(Enum):
    """What came of asking for an attempt."""

    ALLOWED = "allowed"
    SUSPENDED = "suspended"
    JUST_SUSPENDED = "just suspended"
    """The first refusal: the moment to tell the user."""


class FactorThrottle:
    """Counts per user."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._counts: OrderedDict[int, _Count] = OrderedDict()

    def reserve(self, user: int) -> Reserved:
        """Count one attempt of the user with this key."""
        with self._lock:
            now = self._now()
            count = self._counts.pop(user, None) or _Count()
            self._counts[user] = count
            while len(self._counts) > LARGEST:
                self._counts.popitem(last=False)
            count.moments = [moment for moment in count.moments if now - moment < HOUR]
            if len(count.moments) < PER_HOUR:
                count.moments.append(now)
                count.told = False
                return Reserved.ALLOWED
            if count.told:
                return Reserved.SUSPENDED
            count.told = True
            return Reserved.JUST_SUSPENDED

    def succeeded(self, user: int) -> None:
        """Give back one attempt: it was right."""
        with self._lock:
            count = self._counts.get(user)
            if count is not None and count.moments:
                count.moments.pop()

    def forget(self) -> None:
        """Drop all counts."""
        with self._lock:
            self._counts.clear()


throttle = FactorThrottle()
