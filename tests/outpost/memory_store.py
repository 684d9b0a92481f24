"""A real, small ``SessionStore`` in memory, that can be switched off and slowed down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from doorward.messages.sessions import ProxySession, ReportMisconfiguration
from doorward.outpost.ports import LoginGone, StateUsed, StoreUnavailable


class MemoryStore:
    def __init__(self, now: Callable[[], float] = lambda: 0.0) -> None:
        self.now = now
        self.claims: dict[str, float] = {}
        """Which refresh tokens are being used, and until when nobody else may."""
        self.sessions: dict[bytes, ProxySession] = {}
        self.used_states: set[str] = set()
        self.urls: dict[str, str] = {}
        self.reports: list[ReportMisconfiguration] = []
        self.gone_logins: set[str] = set()
        """Subjects whose login has ended: no session is made for them."""
        self.available = True
        self.last_seen: dict[bytes, float] | None = None
        """When sessions were last used, for a store that keeps this: then ``idle`` seconds without a use end one."""
        self.idle = 0.0
        self.failing_renewals = 0
        self.finds = 0
        self.gate: asyncio.Event | None = None
        """When set, ``find`` answers from what is there now, but only after the gate opens."""

    async def find(self, id_hash: bytes, provider: int, client_ip: str = "") -> ProxySession | None:
        self._must_be_there()
        self.finds += 1
        session = self.sessions.get(id_hash)
        if self.gate is not None:
            await self.gate.wait()
        if session is not None and self.last_seen is not None:
            session = msgspec.structs.replace(session, last_seen=self.last_seen.get(id_hash, session.created))
            if self.idle and session.last_seen + self.idle <= self.now():
                return None
        return session if session is not None and session.provider == provider else None

    async def create(self, session: ProxySession, state_id: str, state_expires: float) -> None:
        self._must_be_there()
        if state_id in self.used_states:
            raise StateUsed
        self.used_states.add(state_id)
        if session.claims.sub in self.gone_logins:
            raise LoginGone
        self.sessions[session.id_hash] = session

    async def claim_renewal(self, id_hash: bytes, provider: int, claim: str, until: float) -> bool:
        self._must_be_there()
        if id_hash not in self.sessions or self.claims.get(claim, 0.0) > self.now():
            return False
        self.claims[claim] = until
        return True

    async def renew(self, session: ProxySession) -> bool:
        self._must_be_there()
        if self.failing_renewals:
            self.failing_renewals -= 1
            raise StoreUnavailable("not this time")
        if session.id_hash not in self.sessions:
            return False
        self.sessions[session.id_hash] = session
        return True

    async def end(self, id_hash: bytes, provider: int) -> None:
        self._must_be_there()
        self.sessions.pop(id_hash, None)

    async def end_subject(self, subject: str) -> None:
        self._must_be_there()
        ended = [key for key, session in self.sessions.items() if session.claims.sub == subject]
        for key in ended:
            del self.sessions[key]

    async def keep_url(self, key: str, url: str) -> None:
        self._must_be_there()
        self.urls[key] = url

    async def take_url(self, key: str) -> str | None:
        self._must_be_there()
        return self.urls.pop(key, None)

    async def report(self, report: ReportMisconfiguration) -> None:
        self._must_be_there()
        self.reports.append(report)

    def _must_be_there(self) -> None:
        if not self.available:
            raise StoreUnavailable("switched off")
