"""Which exchanges are open on which proxy session: what must be cut when a session ends (S-228, S-322)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class EndsWithSession(Protocol):
    def session_ended(self) -> None: ...


class OpenSessions:
    """By the session's id_hash; nothing is kept for a session that has nothing open."""

    def __init__(self) -> None:
        self._open: dict[bytes, set[EndsWithSession]] = {}

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
        for session in sessions:
            for exchange in list(self._open.get(session, ())):
                exchange.session_ended()

    def end_all(self) -> None:
        self.end(list(self._open))

    def __len__(self) -> int:
        return len(self._open)
