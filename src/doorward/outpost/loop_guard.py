"""Noticing that a browser is going round in circles (S-330).

Each time a browser is sent to log in, its cookie counts one more. A login that worked starts the count anew, and so
does half a minute of peace. After five rounds the sixth answer is a page that explains, not another redirect.
"""

from __future__ import annotations

from typing import NamedTuple

from doorward.outpost.sessions.cookie import Ticket

MAX_ROUNDS = 5
PERIOD = 30
"""Seconds."""


class Count(NamedTuple):
    """What the next cookie says."""

    rounds: int
    since: int


def next_round(ticket: Ticket | None, now: float, last_passed: float = 0.0) -> Count | None:
    """The count after one more round, or None when that would be one too many.

    ``last_passed`` is when a request last passed with the ticket's session: the success that breaks a circle.
    """
    if ticket is None or not ticket.rounds or now - ticket.since > PERIOD or last_passed > ticket.since:
        return Count(1, int(now))
    if ticket.rounds >= MAX_ROUNDS:
        return None
    return Count(ticket.rounds + 1, ticket.since)
