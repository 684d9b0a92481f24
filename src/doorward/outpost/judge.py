"""May this request pass, and as whom? A live session first, then the paths that are open to everybody.

The answer is a value: the session (``Known``), or what the skip rules say about a stranger. It comes at once when
the worker knows the session or the browser has none; only an unknown session is asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from doorward.outpost.sessions.cache import Known
from doorward.outpost.sessions.cookie import SESSION
from doorward.outpost.sessions.store import Sessions
from doorward.outpost.skip_rules import Opening
from doorward.outpost.visit import Visit

Verdict = Known | Opening


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides about visits."""

    sessions: Sessions
    now: Callable[[], float]

    def judge(self, visit: Visit) -> Verdict | Awaitable[Verdict]:
        """Raises StoreUnavailable (when awaited)."""
        ticket = visit.presented.ticket
        if ticket is None or ticket.kind != SESSION:
            return _opening(visit)
        now = self.now()
        known = self.sessions.known(ticket.id_hash, visit.application, now)
        if known is None:
            return self._ask(visit, ticket.id_hash)
        known.last_passed = now
        return known

    async def _ask(self, visit: Visit, id_hash: bytes) -> Verdict:
        known = await self.sessions.find(id_hash, visit.application)
        if known is None:
            return _opening(visit)
        known.last_passed = self.now()
        return known


def _opening(visit: Visit) -> Opening:
    """What the skip rules say to a stranger."""
    application = visit.application
    return application.rules.opening(visit.path, visit.said_origin if application.domain else "")
