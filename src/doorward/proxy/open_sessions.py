"""Which exchanges are open on which proxy session: what must be cut when a session ends (S-228, S-322)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class EndsWithSession(Protocol):
    def session_ended(self) -> None: ...


class Riding(EndsWithSession, Protocol):
    @property
    def session(self) -> bytes:
        """The id_hash of the session; empty: none."""
        ...


class OpenSessions:
    """By the session's id_hash; nothing is kept for a session that has nothing open."""

    def __init__(self) -> None:
        self._open: dict[bytes, set[EndsWithSession]] = {}
        self.riding: set[Riding] = set()
        """Those on the express lane, which come and go too quickly to be sorted."""

    def add(self, session: bytes, exchange: EndsWithSession) -> None:
        self._open.setdefault(session, set()).add(exchange)

    def discard(self, session: bytes, exchange: EndsWithSession) -> None:
        exchanges = self._open.get(session)
        if exchanges is not None:
            exchanges.discard(exchange)
            if not exchanges:
                del self._open[session]

    def end(self, sessions: Iterable[bytes]) -> None:
        """Cut everything that is open on ``sessions``."""
        sessions = frozenset(sessions)
        for ride in [ride for ride in self.riding if ride.session in sessions]:
            ride.session_ended()
        for session in sessions:
            for exchange in list(self._open.get(session, ())):
                exchange.session_ended()

    def end_all(self) -> None:
        self.end({*self._open, *(ride.session for ride in self.riding if ride.session)})

    def __len__(self) -> int:
        return len(self._open)
