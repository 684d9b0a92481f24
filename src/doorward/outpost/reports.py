"""What an administrator must know, said once a minute and not once a request (S-918)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from doorward.messages.sessions import ReportMisconfiguration
from doorward.outpost.ports import SessionStore, StoreUnavailable

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that whoever waits for an answer waits for the event: often the trouble is the store's own (S-806)."""
PERIOD = 60.0
"""Seconds between two reports of the same thing."""
_MAX_SUBJECTS = 1000


@dataclass(slots=True)
class _Subject:
    reported: float
    count: int = 0


class Reports:
    """Makes events of misconfigurations, and keeps the log readable while they last."""

    def __init__(self, store: SessionStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._subjects: dict[tuple[str, int | None], _Subject] = {}

    def due(self, message: str, provider: int | None = None) -> int:
        """How often this happened since it was last reported, if it is time to report it again; otherwise 0."""
        now = self._now()
        key = (message, provider)
        subject = self._subjects.get(key)
        if subject is None:
            if len(self._subjects) >= _MAX_SUBJECTS:
                self._subjects.clear()
            subject = self._subjects[key] = _Subject(now - PERIOD)
        subject.count += 1
        if now - subject.reported < PERIOD:
            return 0
        count, subject.count, subject.reported = subject.count, 0, now
        return count

    async def send(self, report: ReportMisconfiguration) -> None:
        """Log it and make an event of it. A store that is away loses the event, not the answer to the client."""
        log.warning(
            "%s (provider %s, %d times, last request %s)",
            report.message,
            report.provider,
            report.count,
            report.request_id or "-",
        )
        try:
            async with asyncio.timeout(PATIENCE):
                await self._store.report(report)
        except (StoreUnavailable, TimeoutError):
            log.warning("the event could not be stored")
