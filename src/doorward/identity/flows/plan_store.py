"""Plans in the login session.

A session keeps up to twelve plans, told apart by flow and destination, so that several tabs can each finish their own
journey (S-503). They are one JSON text, decoded strictly: what does not decode is no plan.
"""

from __future__ import annotations

import time

import msgspec
from django.contrib.sessions.backends.base import SessionBase

from doorward.identity.flows.plan import Plan

KEY = "flows.plans"
MOST = 12
LONGEST = 30 * 60
"""Seconds a plan stays valid."""

_decoder = msgspec.json.Decoder(tuple[Plan, ...])


class PlanStore:
    """The plans of one session."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session

    def find(self, flow_slug: str, next_url: str) -> Plan | None:
        """The running plan of this flow to this destination."""
        for plan in self._plans():
            if plan.flow == flow_slug and plan.next == next_url:
                return plan
        return None

    def keep(self, plan: Plan) -> None:
        """Store ``plan`` in place of an earlier one for the same flow and destination."""
        others = self._others(plan)
        self._write((*others[-(MOST - 1) :], plan))

    def drop(self, plan: Plan) -> None:
        self._write(self._others(plan))

    def clear(self) -> None:
        self._write(())

    def _others(self, plan: Plan) -> tuple[Plan, ...]:
        return tuple(other for other in self._plans() if (other.flow, other.next) != (plan.flow, plan.next))

    def _plans(self) -> tuple[Plan, ...]:
        text = self._session.get(KEY, "")
        try:
            plans = _decoder.decode(text) if isinstance(text, str) and text else ()
        except msgspec.DecodeError:
            return ()
        oldest = time.time() - LONGEST
        return tuple(plan for plan in plans if plan.started >= oldest)

    def _write(self, plans: tuple[Plan, ...]) -> None:
        if plans:
            text = msgspec.json.encode(plans).decode()
            if text != self._session.get(KEY):  # looking at a page again writes nothing
                self._session[KEY] = text
        elif KEY in self._session:
            del self._session[KEY]
