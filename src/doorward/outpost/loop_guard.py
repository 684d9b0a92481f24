"""Noticing that a browser is going round in circles (S-330).

Each time a browser is sent to log in, its cookie counts one more. A login that worked starts the count anew, and so
does half a minute of peace. After five rounds the sixth answer is a page that explains, not another redirect.

A proxy that does not hand the cookie to the auth request takes that count away: each refusal begins a new one, over
the session that the browser has just been given. So logins that succeed and are never used are counted too, here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from doorward.outpost.sessions.cookie import Ticket

MAX_ROUNDS = 5
MAX_STARTS = 8
"""The same for a browser that is logged in and asks to log in: somebody may click impatiently."""
MAX_TABS = 20
"""The same for tabs that come back from a login which another tab has completed."""
PERIOD = 30
"""Seconds."""
_MAX_PEOPLE = 10_000


class Count(NamedTuple):
    """What the next cookie says."""

    rounds: int
    since: int


def next_round(ticket: Ticket | None, now: float, last_passed: float = 0.0, limit: int = MAX_ROUNDS) -> Count | None:
    """The count after one more round, or None when that would be more than ``limit``.

    ``last_passed`` is when a request last passed with the ticket's session: the success that breaks a circle.
    """
    if ticket is None or not ticket.rounds or now - ticket.since > PERIOD or last_passed > ticket.since:
        return Count(1, int(now))
    if ticket.rounds >= limit:
        return None
    return Count(ticket.rounds + 1, ticket.since)


class UnusedLogins:
    """Logins of one person at one provider, just completed, with whose sessions nothing has passed yet."""

    def __init__(self, last_passed: Callable[[bytes], float]) -> None:
        self._last_passed = last_passed
        self._logins: OrderedDict[tuple[int, str], list[tuple[float, bytes]]] = OrderedDict()

    def are_too_many(self, provider: int, subject: str, now: float) -> bool:
        """Whether five of the last half minute were for nothing."""
        key = (provider, subject)
        unused = [
            (at, id_hash)
            for at, id_hash in self._logins.get(key, [])
            if now - at <= PERIOD and not self._last_passed(id_hash)
        ]
        self._logins[key] = unused
        return len(unused) >= MAX_ROUNDS

    def add(self, provider: int, subject: str, id_hash: bytes, now: float) -> None:
        """One more."""
        key = (provider, subject)
        self._logins.setdefault(key, []).append((now, id_hash))
        self._logins.move_to_end(key)
        if len(self._logins) > _MAX_PEOPLE:
            self._logins.popitem(last=False)
