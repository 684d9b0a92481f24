"""Proxy sessions as a worker sees them: the cache in front, the store behind.

Two races are settled here. Many requests of one browser that all miss the cache, or all come when it is time to
renew their session, put one question (S-326). And a session that ends while the store's answer about it is on its way
must not be remembered from that answer (S-325): then the store is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import msgspec

from doorward.messages.sessions import ProxySession, Seen
from doorward.outpost import identity_headers
from doorward.outpost.application import Application
from doorward.outpost.ports import SessionStore, StoreUnavailable
from doorward.outpost.sessions.cache import Known, SessionCache
from doorward.outpost.sessions.cookie import SESSION, Ticket
from doorward.outpost.sessions.renewal import Renewal, due_from
from doorward.outpost.sessions.slimming import slim

TRY_AGAIN = 5.0
"""Seconds after which a renewal that did not come about is tried again."""
_MAX_QUESTIONS = 5


class Sessions:
    """Finds, makes and ends proxy sessions."""

    def __init__(self, store: SessionStore, renewal: Renewal, now: Callable[[], float]) -> None:
        self._store = store
        self._renewal = renewal
        self._now = now
        self._cache = SessionCache()
        self._doubtful: set[bytes] = set()
        """Ids that may have ended while the store was being asked about them."""
        self._asking: dict[tuple[bytes, int, str], asyncio.Task[Known | None]] = {}

    def known(self, id_hash: bytes, application: Application, now: float) -> Known | None:
        """The session, if this worker knows it; costs nothing."""
        known = self._cache.get(id_hash, now)
        if known is None or known.session.provider != application.provider.pk:
            return None
        if known.application is not application:
            known = self._remember(_with_access_token(known), application, known.session.id_hash)
        return known if known.attention_at > now else self._attended(known, now)

    def _attended(self, known: Known, now: float) -> Known | None:
        """``known``, for which it is time to look at more than whether it is there."""
        session, application = known.session, known.application
        if 0 < session.good_until <= now:
            self._cache.drop((session.id_hash,))  # its keeper says whether it lets in any longer
            return None
        idle = application.provider.idle_limit
        if idle and max(known.last_passed, known.used_before) + idle <= now:
            self._cache.drop((session.id_hash,))  # perhaps it was used at another worker: the store knows
            return None
        if session.refresh_token and due_from(session, application) <= now:
            if session.access_expires <= now:
                return None
            self._question(
                session.id_hash, application, session.good_at
            )  # it is renewed beside this request, and those that follow
        else:
            known.attention_at = self._attention(known, now)
        return known

    def still_known(self, known: Known, now: float) -> bool:
        """Whether ``known``, found before, is what would be found now."""
        if now < known.attention_at:
            return self._cache.holds(known)
        return self.known(known.session.id_hash, known.application, now) is known

    async def find(self, id_hash: bytes, application: Application, client_ip: str) -> Known | None:
        """The session, from the store when this worker does not know whether it lets in at this address. Raises
        StoreUnavailable."""
        known = self.known(id_hash, application, self._now())
        if known is not None and known.session.good_at not in ("", client_ip):
            known = None
        if known is not None or self._cache.is_unknown(id_hash, self._now()):
            return known
        # Shielded: the first client going away must not fail the others that wait for the same answer.
        return await asyncio.shield(self._question(id_hash, application, client_ip))

    def _question(self, id_hash: bytes, application: Application, client_ip: str) -> asyncio.Task[Known | None]:
        """The one question that is being put to the store about this session."""
        key = (id_hash, application.provider.pk, client_ip)
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.ensure_future(self._ask(id_hash, application, client_ip))
            self._asking[key] = asking
            asking.add_done_callback(lambda done: self._answered(key, done))
        return asking

    async def create(self, session: ProxySession, state_id: str, state_expires: float) -> None:
        """Keep a new session. Raises StateUsed, LoginGone, StoreUnavailable."""
        await self._store.create(session, state_id, state_expires)

    async def id_token(self, known: Known) -> str:
        """The session's ID token; the store is asked where this worker does not keep it. Raises StoreUnavailable."""
        if known.session.id_token:
            return known.session.id_token
        session = await self._store.find(known.session.id_hash, known.session.provider, known.session.good_at)
        return "" if session is None else session.id_token

    async def end(self, id_hash: bytes, provider: int) -> None:
        """End this one session, in the store first. Raises StoreUnavailable."""
        await self._store.end(id_hash, provider)
        self.forget((id_hash,), everything=False)

    async def end_subject(self, subject: str) -> None:
        """End all sessions of the person, in the store first. Raises StoreUnavailable; then nothing has ended."""
        await self._store.end_subject(subject)
        self._doubtful.update(id_hash for id_hash, *_ in self._asking)  # whose they are is not known yet
        self._cache.drop(self._cache.of_subject(subject))

    def forget(self, id_hashes: Iterable[bytes], everything: bool) -> None:
        """These sessions (or all) have ended."""
        asked = {id_hash for id_hash, *_ in self._asking}
        if everything:
            self._doubtful |= asked
            self._cache.drop_all()
        else:
            ended = set(id_hashes)
            self._doubtful |= asked & ended
            self._cache.drop(ended)

    def of(self, provider: int, subject: str, sid: str) -> list[bytes]:
        """Ids of the known sessions at ``provider`` that a person has, or that came from one login."""
        return self._cache.of(provider, subject, sid)

    def last_passed(self, id_hash: bytes) -> float:
        """When a request last passed with this session in this worker (Unix seconds); 0 for never."""
        return self._cache.last_passed(id_hash)

    @contextmanager
    def lending(self, session: ProxySession, application: Application) -> Iterator[tuple[Ticket, Known]]:
        """``session`` under an id of its own, known to this worker alone and only inside the block. No store has it."""
        ticket = Ticket.new(SESSION)
        lent = msgspec.structs.replace(session, id_hash=ticket.id_hash, refresh_token="")
        try:
            yield ticket, self._remember(lent, application, ticket.id_hash)
        finally:
            self._cache.drop((ticket.id_hash,))

    async def _ask(self, id_hash: bytes, application: Application, client_ip: str) -> Known | None:
        for _ in range(_MAX_QUESTIONS):
            self._doubtful.discard(id_hash)
            session = await self._store.find(id_hash, application.provider.pk, client_ip)
            if session is not None:
                if session.provider != application.provider.pk or session.id_hash != id_hash:
                    raise StoreUnavailable("the store answered with another session than the one asked for")
                session = await self._renewal.if_due(session, application)
            if session is None or id_hash not in self._doubtful:
                break
        else:
            raise StoreUnavailable("this session keeps ending while the store is asked about it")
        now = self._now()
        if session is None or session.expires <= now:
            self._cache.drop((id_hash,))
            self._cache.put_unknown(id_hash, now)
            return None
        return self._remember(session, application, id_hash)

    def _remember(self, session: ProxySession, application: Application, id_hash: bytes) -> Known:
        headers = identity_headers.build(session, application)
        # The tokens are two thirds of a session: the one is among the headers, the other is wanted at sign-out only.
        session = slim(session, id_hash, keeps_tokens=application.provider.foreign is not None)
        now = self._now()
        last_passed = self._cache.last_passed(session.id_hash)
        known = Known(session, application, headers, last_passed, session.last_seen or now)
        known.attention_at = self._attention(known, now)
        self._cache.put(known)
        return known

    @staticmethod
    def _attention(known: Known, now: float) -> float:
        session, application = known.session, known.application
        due = due_from(session, application)
        if due <= now:  # that could not be done just now
            due = min(now + TRY_AGAIN, session.access_expires)
        idle = application.provider.idle_limit
        if idle:
            due = min(due, max(known.last_passed, known.used_before, now - idle + TRY_AGAIN) + idle)
        if session.good_until:
            due = min(due, session.good_until)
        return min(due, session.expires)

    def used_since(self, since: float) -> list[Seen]:
        """The sessions with which a request passed in this worker after ``since`` (Unix seconds)."""
        return self._cache.used_since(since)

    def _answered(self, key: tuple[bytes, int, str], done: asyncio.Task[Known | None]) -> None:
        self._asking.pop(key, None)
        self._doubtful.discard(key[0])
        if not done.cancelled():
            done.exception()  # looked at, so that a question whose askers all left is not reported as an error


def _with_access_token(known: Known) -> ProxySession:
    """The session as headers can be built from it, for an application that has changed."""
    if known.application.provider.foreign is not None:
        return known.session
    token = dict(known.headers).get(b"X-authentik-jwt", b"")
    return msgspec.structs.replace(known.session, access_token=token.decode())
