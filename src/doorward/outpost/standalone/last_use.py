"""When a session was last used, for the stores of an outpost on its own: they end one that nobody used for longer than
its application's idle limit.

Three places know something of it, and the latest counts: the process that let the request pass, the ledger that it
writes down in about once a minute, and the session itself, which says when it was made, renewed, or (in a browser's
cookies) last stamped. So a restart, another outpost with the same cookies, and a proxy that passes no cookie on each
leave enough to go by; where nothing is left the session ends early, never late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from doorward.messages.sessions import ProxySession, Seen
from doorward.outpost.standalone.ledger import Ledger
from doorward.outpost.standalone.places import Places

STAMP_EVERY = 60.0
"""Seconds after which a session in a browser's cookies is given a new stamp; a quarter of the limit where that is
less."""


class LastUse:
    """``passed`` answers when a request last passed with a session in this process (Unix seconds; 0: never)."""

    def __init__(
        self, ledger: Ledger, places: Places, now: Callable[[], float], passed: Callable[[bytes], float]
    ) -> None:
        self._ledger = ledger
        self._places = places
        self._now = now
        self._passed = passed

    def in_use(self, session: ProxySession) -> ProxySession | None:
        """``session`` with its last use, or None when that is too long ago. Raises StoreUnavailable."""
        found = self._places.of(session.provider)
        limit = found[0].provider.idle_limit if found is not None else 0.0
        if not limit:
            return session
        last = max(
            session.created,
            session.access_issued,
            session.last_seen,
            self._passed(session.id_hash),
            self._ledger.seen(session.id_hash),
        )
        if last + limit <= self._now():
            return None
        return msgspec.structs.replace(session, last_seen=last)

    def keep(self, seen: Iterable[Seen]) -> None:
        """Write down what was used. Raises StoreUnavailable."""
        longest = max((each.provider.idle_limit for each in self._places.applications()), default=0.0)
        if longest:
            self._ledger.keep_seen(seen, longest, self._now())


def stamp_every(limit: float) -> float:
    """Seconds after which a use is written into the browser's session anew."""
    return min(STAMP_EVERY, limit / 4)
