"""How often a client may fail to authenticate: thirty times in five minutes from one address (S-416).

Counted per client *and* address, so that a stranger cannot lock a client out. A secret has hundreds of bits; what
this stops is the noise, and the work. Kept in memory on the monotonic clock, bounded, oldest first out.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW = 300.0
"""Seconds."""
MOST = 30
LARGEST = 10_000


class FailureCounter:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def is_exhausted(self, client_id: str, address: str | None) -> bool:
        with self._lock:
            times = self._failures.get((client_id, address or ""))
            return times is not None and len(self._recent(times)) >= MOST

    def failed(self, client_id: str, address: str | None) -> None:
        with self._lock:
            place = (client_id[:255], address or "")
            self._recent(self._failures.setdefault(place, deque(maxlen=MOST))).append(self._now())
            self._failures.move_to_end(place)
            while len(self._failures) > LARGEST:
                self._failures.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._failures.clear()

    def _recent(self, times: deque[float]) -> deque[float]:
        while times and self._now() - times[0] >= WINDOW:
            times.popleft()
        return times


client_failures = FailureCounter()
