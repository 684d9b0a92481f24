"""How often something may be tried within an hour: by one key (an address, a client), and by all together.

A try is taken before what it asks is looked at, so that fifty at once cannot all be looked at, and may be given back
where it turned out harmless. Kept in memory on the monotonic clock, bounded, oldest first out.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW = 3600.0
"""Seconds."""
LARGEST = 10_000


class Pace:
    def __init__(
        self, most: int, *, altogether: int, window: float = WINDOW, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._altogether = most, altogether
        self._window, self._now = window, now
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque()

    def take(self, key: str) -> bool:
        """Whether one more may be tried; it is counted if so."""
        with self._lock:
            own = self._tries.setdefault(key, deque())
            self._tries.move_to_end(key)
            while len(self._tries) > LARGEST:
                self._tries.popitem(last=False)
            if len(self._recent(own)) >= self._most or len(self._recent(self._all)) >= self._altogether:
                return False
            now = self._now()
            own.append(now)
            self._all.append(now)
            return True

    def give_back(self, key: str) -> None:
        """The last try of ``key`` was none."""
        with self._lock:
            own = self._tries.get(key)
            if own:
                own.pop()
            if self._all:
                self._all.pop()

    def forget(self) -> None:
        with self._lock:
            self._tries.clear()
            self._all.clear()

    def _recent(self, times: deque[float]) -> deque[float]:
        while times and self._now() - times[0] >= self._window:
            times.popleft()
        return times


def neighbourhood(address: str | None) -> str:
    """The address, or for IPv6 the network that one customer has whole."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if parsed.version == 6:
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)
