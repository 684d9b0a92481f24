"""``SessionStore`` in a file of the outpost's own: sessions on the server, sealed at rest, over at once when they end.

For one outpost process at a time; a cookie then holds nothing but the random id.
"""

from __future__ import annotations

from collections.abc import Callable

from doorward.messages.sessions import ProxySession, ReportMisconfiguration
from doorward.outpost.ports import LoginGone, StateUsed, StoreUnavailable
from doorward.outpost.standalone.last_use import LastUse
from doorward.outpost.standalone.ledger import Ledger
from doorward.outpost.standalone.places import Ended, Places
from doorward.outpost.standalone.sealing import Keys


class FileStore:
    """See ``outpost.ports.SessionStore``."""

    def __init__(
        self,
        ledger: Ledger,
        keys: Keys,
        places: Places,
        uses: LastUse,
        longest: float,
        now: Callable[[], float],
        ended: Ended,
    ) -> None:
        self._uses = uses
        self._ledger = ledger
        self._keys = keys
        self._places = places
        self.longest = longest
        """Seconds after which no session lives any more."""
        self._now = now
        self._ended = ended

    async def find(self, id_hash: bytes, provider: int, client_ip: str = "") -> ProxySession | None:
        place = self._place(provider)
        found = self._ledger.rows(
            "select sealed from session where id = ? and provider = ? and expires > ?",
            (id_hash, provider, self._now()),
        )
        session = self._keys.open(found[0][0], place + id_hash) if found else None
        if session is None or session.id_hash != id_hash:
            return None
        used = self._uses.in_use(session)
        if used is None:
            await self.end(id_hash, provider)
        return used

    async def create(self, session: ProxySession, state_id: str, state_expires: float) -> None:
        if not self._ledger.use_state(state_id, state_expires, self._now()):
            raise StateUsed
        if self._ledger.is_over(session.provider, session.claims.sid):
            raise LoginGone
        self._put(session)

    async def claim_renewal(self, id_hash: bytes, provider: int, claim: str, until: float) -> bool:
        if await self.find(id_hash, provider) is None:
            return False
        return self._ledger.claim(claim, until, self._now())

    async def renew(self, session: ProxySession) -> bool:
        sealed = self._keys.seal(session, self._place(session.provider) + session.id_hash)
        changed = self._ledger.change(
            "update session set sealed = ?, sid = ? where id = ? and provider = ? and expires > ?",
            (sealed, session.claims.sid, session.id_hash, session.provider, self._now()),
        )
        return changed == 1

    async def end(self, id_hash: bytes, provider: int) -> None:
        self._ledger.change("delete from session where id = ? and provider = ?", (id_hash, provider))

    async def end_subject(self, subject: str) -> None:
        rows = self._ledger.rows("delete from session where subject = ? returning provider, id", (subject,))
        for application in self._places.applications():
            provider = application.provider.pk
            self._ended(provider, subject, "", [row[1] for row in rows if row[0] == provider])

    def end_login(self, provider: int, subject: str, sid: str) -> None:
        """End the sessions at ``provider`` of one login at the issuer, or of a person. Raises StoreUnavailable."""
        now = self._now()
        if sid:
            self._ledger.end(provider, "sid", sid, now, now + self.longest)
        rows = self._ledger.rows(
            "delete from session where provider = ? and (? = '' or subject = ?) and (? = '' or sid = ?) returning id",
            (provider, subject, subject, sid, sid),
        )
        self._ended(provider, subject, sid, [row[0] for row in rows])

    async def keep_url(self, key: str, url: str) -> None:
        self._ledger.keep_url(key, url, self._now())

    async def take_url(self, key: str) -> str | None:
        return self._ledger.take_url(key, self._now())

    async def report(self, report: ReportMisconfiguration) -> None:
        """It stands in the log by now: there is nobody else to tell."""

    def _put(self, session: ProxySession) -> None:
        sealed = self._keys.seal(session, self._place(session.provider) + session.id_hash)
        values = (session.id_hash, session.provider, session.claims.sub, session.claims.sid, sealed, session.expires)
        self._ledger.change("insert into session values (?, ?, ?, ?, ?, ?)", values)

    def _place(self, provider: int) -> bytes:
        found = self._places.of(provider)
        if found is None:
            raise StoreUnavailable("this application is not configured any more")
        return found[1]
