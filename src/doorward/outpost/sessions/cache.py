"""The sessions that this worker has seen, bounded, so that a known browser costs no question to the store.

Entries go when the store says that a session has ended, when they expire, and when one must make room: the oldest that
was not used since it was last considered. So a use leaves nothing but a mark, and a million entries stay where they
are. Nothing here decides how long a session lives: the time is looked at on every use.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from msgspec import Struct

from doorward.messages.http import Header
from doorward.messages.sessions import ProxySession, Seen
from doorward.outpost.application import Application

MAX_SESSIONS = 1_000_000
"""About 3 KiB each. Every one of them stands for a login that somebody went through."""
MAX_UNKNOWN = 10_000
STALE_AT_MOST = 1000
"""Sessions in a row that were not used, after which those that were are not looked for any further."""
_MOST_CONSIDERED = 16
UNKNOWN_FOR = 1.0
"""Seconds for which the store is not asked again about an id that it does not know."""


class Known(Struct, eq=False, gc=False):
    """A session with what is sent for it. Nothing in it refers back to it: the collector does not walk through them."""

    session: ProxySession
    """Without its tokens where they need not be kept here (``Sessions.id_token``)."""
    application: Application
    headers: tuple[Header, ...]
    """The identity fields."""
    last_passed: float = 0.0
    """Unix seconds of the last request that passed with it; 0 for none."""
    used_before: float = 0.0
    """Unix seconds of the last use that was heard of when it was read from the store, or of that moment."""
    attention_at: float = 0.0
    """Unix seconds until which nothing about it can have ended or be due; 0: look at it every time."""
    used: bool = False
    """Since it was remembered, or since it was last considered for making room."""


class Program(Known):
    """Who sent an ``Authorization`` field that is good: nobody's session, and nobody has logged in."""


class SessionCache:
    """The oldest goes first, but for those that are in use."""

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        self._limit = limit
        self._known: OrderedDict[bytes, Known] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._passed: OrderedDict[bytes, float] = OrderedDict()
        """When sessions that have ended meanwhile last let a request pass."""

    def get(self, id_hash: bytes, now: float) -> Known | None:
        """The live session with this id, if this worker knows it."""
        known = self._known.get(id_hash)
        if known is None:
            return None
        if known.attention_at <= now and known.session.expires <= now:
            self.drop((id_hash,))
            return None
        known.used = True
        return known

    def holds(self, known: Known) -> bool:
        """Whether ``known`` is here, which counts as a use of it."""
        if self._known.get(known.session.id_hash) is not known:
            return False
        known.used = True
        return True

    def put(self, known: Known) -> None:
        """Remember a session."""
        id_hash = known.session.id_hash
        self._known[id_hash] = known
        self._unknown.pop(id_hash, None)
        if len(self._known) > self._limit:
            self._make_room()

    def _make_room(self) -> None:
        for _ in range(_MOST_CONSIDERED):
            id_hash = next(iter(self._known))
            known = self._known[id_hash]
            if not known.used:
                break
            known.used = False
            self._known.move_to_end(id_hash)
        self.drop((next(iter(self._known)),))

    def is_unknown(self, id_hash: bytes, now: float) -> bool:
        """Whether the store said a moment ago that there is no such session."""
        return self._unknown.get(id_hash, 0.0) > now

    def put_unknown(self, id_hash: bytes, now: float) -> None:
        """Remember for a moment that there is no such session."""
        _put(self._unknown, id_hash, now + UNKNOWN_FOR, MAX_UNKNOWN)

    def drop(self, id_hashes: Iterable[bytes]) -> None:
        """Forget these."""
        for id_hash in id_hashes:
            known = self._known.pop(id_hash, None)
            if known is not None and known.last_passed:
                _put(self._passed, id_hash, known.last_passed, MAX_UNKNOWN)

    def drop_all(self) -> None:
        """Forget everything."""
        self.drop(list(self._known))

    def of_subject(self, subject: str) -> list[bytes]:
        """Ids of the known sessions of one person."""
        return [id_hash for id_hash, known in self._known.items() if known.session.claims.sub == subject]

    def of(self, provider: int, subject: str, sid: str) -> list[bytes]:
        """Ids of the known sessions at ``provider`` with this subject and login; an empty text stands for any."""
        return [
            id_hash
            for id_hash, known in self._known.items()
            if known.session.provider == provider
            and subject in ("", known.session.claims.sub)
            and sid in ("", known.session.claims.sid)
        ]

    def used_since(self, since: float) -> list[Seen]:
        """The sessions with which a request passed after ``since`` (Unix seconds)."""
        used, stale = [Seen(id_hash, at) for id_hash, at in self._passed.items() if at > since], 0
        for id_hash in reversed(
            self._known
        ):  # the last used come first; a few may stand there that were only looked at
            at = self._known[id_hash].last_passed
            if at > since:
                used.append(Seen(id_hash, at))
                stale = 0
            elif (stale := stale + 1) >= STALE_AT_MOST:
                break
        return used

    def last_passed(self, id_hash: bytes) -> float:
        """When a request last passed with this session in this worker; 0 for never."""
        known = self._known.get(id_hash)
        return known.last_passed if known is not None else self._passed.get(id_hash, 0.0)


def _put(table: OrderedDict[bytes, float], key: bytes, value: float, limit: int) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > limit:
        table.popitem(last=False)
