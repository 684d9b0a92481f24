"""One log line a minute for each thing that goes wrong, with a count: a storm of failures stays readable (S-918)."""

from __future__ import annotations

import logging
import time

_log = logging.getLogger("doorward.proxy")
_INTERVAL = 60.0
"""Seconds."""
_MOST = 1024


class Complaints:
    """Remembers what was said lately."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, int]] = {}

    def say(self, event: str, subject: str, reason: str) -> None:
        """Log that ``event`` happened to ``subject``, unless the same was logged within the last minute."""
        key = f"{event} {subject}"
        now = time.monotonic()
        since, unsaid = self._said.get(key, (-_INTERVAL, 0))
        if now - since < _INTERVAL:
            self._said[key] = (since, unsaid + 1)
            return
        if len(self._said) >= _MOST:
            self._said.clear()
        self._said[key] = (now, 0)
        again = f" ({unsaid} more since the last line)" if unsaid else ""
        _log.error("%s %s: %s%s", event, subject, reason, again)
