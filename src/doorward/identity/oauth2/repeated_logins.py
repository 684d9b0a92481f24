"""One event an hour for a program that logs in again and again, instead of one every ten seconds.

A program is known by client, user, credential and address together: whatever is new about it is an event at once. Kept
in memory on the monotonic clock, bounded, oldest first out; after a restart each program is an event once more.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

WINDOW = 3600.0
"""Seconds."""
LARGEST = 10_000


class RepeatedLogins:
    def __init__(self, now: Callable[[], float] = time.monotonic, window: float = WINDOW) -> None:
        self._now = now
        self._window = window
        self._lock = threading.Lock()
        self._recorded: OrderedDict[str, float] = OrderedDict()

    def is_repeated(self, program: str) -> bool:
        """Whether an event told of this program within the window."""
        with self._lock:
            at = self._recorded.get(program)
            return at is not None and self._now() - at < self._window

    def recorded(self, program: str) -> None:
        """An event told of it just now. To be called when the event is committed."""
        with self._lock:
            self._recorded[program] = self._now()
            self._recorded.move_to_end(program)
            while len(self._recorded) > LARGEST:
                self._recorded.popitem(last=False)


repeated_logins = RepeatedLogins()
