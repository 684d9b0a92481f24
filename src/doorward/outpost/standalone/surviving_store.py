"""A ``SessionStore`` in front of one that may be out of reach for a while: people who were let in lately go on.

The store's word counts whenever it can be had. When it cannot, a session that it has confirmed since this process began
is good for a bounded time, never beyond its own end, and never after the store has said that it has ended. Nobody new
gets in by this: what was never confirmed stays unknown.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from doorward.messages.sessions import ProxySession, ReportMisconfiguration
from doorward.outpost.ports import SessionStore, StoreUnavailable

_MOST = 50_000


class SurvivingStore:
    """See ``outpost.ports.SessionStore``."""

    def __init__(self, store: SessionStore, absence: float, last_heard: Callable[[], float], now: Callable[[], float]):
        self._store = store
        self.absence = absence
        """Seconds after ``last_heard`` for which a confirmed session is good without the store."""
        self._last_heard = last_heard
        self._now = now
        self._confirmed: OrderedDict[bytes, ProxySession] = OrderedDict()

    def forget(self, id_hashes: Iterable[bytes], *, everything: bool = False) -> None:
        """These have ended."""
        if everything:
            self._confirmed.clear()
        for id_hash in id_hashes:
            self._confirmed.pop(id_hash, None)

    async def find(self, id_hash: bytes, provider: int, client_ip: str = "") -> ProxySession | None:
        try:
            session = await self._store.find(id_hash, provider, client_ip)
        except StoreUnavailable:
            known = self._confirmed.get(id_hash)
            if known is None or known.provider != provider or known.expires <= self._now():
                raise
            if self._now() - self._last_heard() > self.absence:
                raise
            if known.good_at not in ("", client_ip) or 0 < known.good_until <= self._now():
                raise  # nobody is there who could say whether it lets in now, from there
            return known
        if session is None:
            self._confirmed.pop(id_hash, None)
        else:
            self._remember(session)
        return session

    async def create(self, session: ProxySession, state_id: str, state_expires: float) -> None:
        await self._store.create(session, state_id, state_expires)
        self._remember(session)

    async def claim_renewal(self, id_hash: bytes, provider: int, claim: str, until: float) -> bool:
        return await self._store.claim_renewal(id_hash, provider, claim, until)

    async def renew(self, session: ProxySession) -> bool:
        renewed = await self._store.renew(session)
        if renewed:
            self._remember(session)
        else:
            self._confirmed.pop(session.id_hash, None)
        return renewed

    async def end(self, id_hash: bytes, provider: int) -> None:
        await self._store.end(id_hash, provider)
        self._confirmed.pop(id_hash, None)

    async def end_subject(self, subject: str) -> None:
        await self._store.end_subject(subject)
        self.forget([key for key, session in self._confirmed.items() if session.claims.sub == subject])

    async def keep_url(self, key: str, url: str) -> None:
        await self._store.keep_url(key, url)

    async def take_url(self, key: str) -> str | None:
        return await self._store.take_url(key)

    async def report(self, report: ReportMisconfiguration) -> None:
        await self._store.report(report)

    def _remember(self, session: ProxySession) -> None:
        self._confirmed[session.id_hash] = session
        self._confirmed.move_to_end(session.id_hash)
        if len(self._confirmed) > _MOST:
            self._confirmed.popitem(last=False)
