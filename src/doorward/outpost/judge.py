"""May this request pass, and as whom? A live session first, then the paths that are open to everybody, then what a
program brings in ``Authorization`` where the provider receives that.

The answer is a value: the session (``Known``), what the skip rules say about a stranger, or why a program is not
let in. It comes at once when the worker knows the session or the browser has none; only an unknown session or
credential is asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from doorward.config.skip_rules import Opening
from doorward.outpost import step_up
from doorward.outpost.machines import Machines, Rejection
from doorward.outpost.navigation import is_preflight
from doorward.outpost.sessions.cache import Known
from doorward.outpost.sessions.cookie import SESSION
from doorward.outpost.sessions.store import Sessions
from doorward.outpost.visit import Visit

Verdict = Known | Opening | Rejection


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides about visits."""

    sessions: Sessions
    machines: Machines
    now: Callable[[], float]

    def judge(self, visit: Visit) -> Verdict | Awaitable[Verdict]:
        """Raises StoreUnavailable (when awaited)."""
        ticket = visit.presented.ticket
        if ticket is None or ticket.kind != SESSION:
            return self._stranger(visit)
        now = self.now()
        known = self.sessions.known(ticket.id_hash, visit.application, now)
        if known is None or (known.session.good_at and known.session.good_at != visit.client_ip):
            return self._ask(visit, ticket.id_hash)
        known.last_passed = now
        return known

    async def _ask(self, visit: Visit, id_hash: bytes) -> Verdict:
        known = await self.sessions.find(id_hash, visit.application, visit.client_ip)
        if known is None:
            stranger = self._stranger(visit)
            return stranger if isinstance(stranger, Known | Opening | Rejection) else await stranger
        known.last_passed = self.now()
        return known

    def _stranger(self, visit: Visit) -> Verdict | Awaitable[Verdict]:
        """Nobody's session. On an open path nothing is asked: there an ``Authorization`` field is the application's."""
        application = visit.application
        opening = application.rules.opening(visit.path, visit.rule_origin)
        if application.provider.skip_preflight and is_preflight(visit.fields, visit.method):
            return Opening.OPEN
        if opening is Opening.OPEN and step_up.asks(visit):
            opening = Opening.SHUT  # what asks for more than a login is open to nobody
        if opening is Opening.SHUT and application.provider.intercept_header_auth and visit.fields.raw("authorization"):
            return self.machines.recognise(visit)
        return opening
