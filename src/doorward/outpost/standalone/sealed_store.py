"""``SessionStore`` without a store: the session travels in the browser's own cookies, sealed.

The cookie that every outpost sets says who the browser is to us; beside it stand ``…_0``, ``…_1``, … with the sealed
session, cut to what browsers take. A store is asked during a request, so that it can look into that request's cookies
(``Carried``); what it makes or renews is given to the browser with the answer to it (``cookies_for``).

What a store on the server could do and this one cannot: forget. Sessions that end before their time are therefore
listed until they would have ended by themselves (``Ledger``). A list in memory does not survive a restart; in a file it
does. A renewed session is remembered here until the browser has been seen with it.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

import msgspec

from doorward.messages.sessions import ProxySession, ReportMisconfiguration
from doorward.outpost.application import Application
from doorward.outpost.ports import LoginGone, StateUsed, StoreUnavailable
from doorward.outpost.sessions.cache import Known
from doorward.outpost.sessions.cookie import Ticket
from doorward.outpost.standalone.last_use import LastUse, stamp_every
from doorward.outpost.standalone.ledger import Ledger
from doorward.outpost.standalone.places import Ended, Places
from doorward.outpost.standalone.sealing import Keys
from doorward.tokens import base64url

log = logging.getLogger(__name__)

CHUNK = 3600
"""Characters of one cookie: with name and attributes below the 4096 bytes that browsers take (RFC 6265 section 6.1)."""
MAX_CHUNKS = 4
"""All of them together must fit into one header field (16 KiB)."""
_MAX_REMEMBERED = 10_000


@dataclass(slots=True)
class Carried:
    """One request's cookies, and what is to be given to the browser with its answer."""

    cookies: list[bytes]
    given: dict[bytes, ProxySession] = field(default_factory=dict)
    """New sessions by id."""


_carried: ContextVar[Carried | None] = ContextVar("carried", default=None)


def carry(request: Carried) -> None:
    """From here on in this context the store looks into this request."""
    _carried.set(request)


class SealedStore:
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
        self._newer: OrderedDict[bytes, tuple[ProxySession, str]] = OrderedDict()
        """Renewed sessions that no browser has shown yet, with their sealed form."""

    async def find(self, id_hash: bytes, provider: int, client_ip: str = "") -> ProxySession | None:
        newer = self._newer.get(id_hash)
        session = newer[0] if newer is not None else self._presented(id_hash, provider)
        if session is None or session.provider != provider or session.expires <= self._now():
            return None
        return None if self._has_ended(session) else self._uses.in_use(session)

    async def create(self, session: ProxySession, state_id: str, state_expires: float) -> None:
        request = _carried.get()
        if request is None:
            raise StoreUnavailable("no browser is there to keep the session")
        found = self._places.of(session.provider)
        if found is None:
            raise StoreUnavailable("this application is not configured any more")
        if len(self._sealed(session, found[1])) > CHUNK * MAX_CHUNKS:
            log.error(
                "a session at %r is too large for cookies (%d characters, at most %d): keep sessions in a file "
                "(session.store: file), or have the issuer put less into its tokens",
                found[0].provider.name,
                len(self._sealed(session, found[1])),
                CHUNK * MAX_CHUNKS,
            )
            raise StoreUnavailable("the session is too large for cookies")
        if not self._ledger.use_state(state_id, state_expires, self._now()):
            raise StateUsed
        if self._ledger.is_over(session.provider, session.claims.sid):
            raise LoginGone
        request.given[session.id_hash] = session

    async def claim_renewal(self, id_hash: bytes, provider: int, claim: str, until: float) -> bool:
        return self._ledger.claim(claim, until, self._now())

    async def renew(self, session: ProxySession) -> bool:
        found = self._places.of(session.provider)
        if found is None or self._has_ended(session):
            return False
        sealed = self._sealed(session, found[1])
        if len(sealed) > CHUNK * MAX_CHUNKS:
            log.warning("a renewed session at %r is too large for cookies: it ends", found[0].provider.name)
            return False
        self._newer[session.id_hash] = (session, sealed)
        self._newer.move_to_end(session.id_hash)
        if len(self._newer) > _MAX_REMEMBERED:
            self._newer.popitem(last=False)
        return True

    async def end(self, id_hash: bytes, provider: int) -> None:
        self._newer.pop(id_hash, None)
        self._end(provider, "id", id_hash.hex())

    async def end_subject(self, subject: str) -> None:
        for application in self._places.applications():
            self._end(application.provider.pk, "sub", subject)
            self._ended(application.provider.pk, subject, "", [])

    def end_login(self, provider: int, subject: str, sid: str) -> None:
        """End the sessions at ``provider`` of one login at the issuer, or of a person."""
        self._end(provider, *(("sid", sid) if sid else ("sub", subject)))
        self._ended(provider, subject, sid, [])

    async def keep_url(self, key: str, url: str) -> None:
        self._ledger.keep_url(key, url, self._now())

    async def take_url(self, key: str) -> str | None:
        return self._ledger.take_url(key, self._now())

    async def report(self, report: ReportMisconfiguration) -> None:
        """It stands in the log by now: there is nobody else to tell."""

    def rules_changed(self, provider: int) -> None:
        """What was sealed for this provider opens no more: nor does what is remembered for its browsers."""
        for id_hash in [key for key, (session, _) in self._newer.items() if session.provider == provider]:
            del self._newer[id_hash]

    # --- the browser's side

    @property
    def has_news(self) -> bool:
        """Some browser has yet to get a renewed session."""
        return bool(self._newer)

    def is_stamp_due(self, known: Known) -> bool:
        """Whether the browser's session says of too long ago that it was used. ``known`` is in use now."""
        limit = known.application.provider.idle_limit
        return bool(limit) and known.session.last_seen + stamp_every(limit) <= self._now()

    def stamp(self, known: Known, request: Carried) -> None:
        """The session is given to the browser once more, as one that was used now: so an idle limit holds at other
        outposts and after a restart. Where a proxy does not pass the cookie on, the next stamp is tried later."""
        found = self._places.of(known.session.provider)
        session = known.session = msgspec.structs.replace(known.session, last_seen=self._now())
        request.given[session.id_hash] = session
        if session.id_hash in self._newer and found is not None:
            self._newer[session.id_hash] = (session, self._sealed(session, found[1]))

    def cookies_for(self, application: Application, ticket: Ticket, request: Carried) -> list[bytes]:
        """``Set-Cookie`` values that give the browser with ``ticket`` its session, if it has an older one or none."""
        session = request.given.get(ticket.id_hash)
        shown = _chunks(request.cookies, application.cookies.name)
        if session is not None:
            found = self._places.of(session.provider)
            sealed = self._sealed(session, found[1]) if found is not None else ""
        else:
            newer = self._newer.get(ticket.id_hash)
            if newer is None:
                return []
            session, sealed = newer
            if "".join(shown) == sealed:
                del self._newer[ticket.id_hash]
                return []
        now = self._now()
        parts = [sealed[at : at + CHUNK] for at in range(0, len(sealed), CHUNK)]
        parts += [""] * (len(shown) - len(parts))
        jar, max_age = application.cookies, int(session.expires - now)
        return [jar.set_other(f"_{number}", part, now, max_age) for number, part in enumerate(parts)]

    @staticmethod
    def cookies_away(application: Application, request: Carried) -> list[bytes]:
        """``Set-Cookie`` values that take the sealed session away."""
        shown = _chunks(request.cookies, application.cookies.name)
        return [application.cookies.set_other(f"_{number}", "", 0.0, 0) for number in range(len(shown))]

    # --- plumbing

    def _presented(self, id_hash: bytes, provider: int) -> ProxySession | None:
        request, found = _carried.get(), self._places.of(provider)
        if request is None or found is None:
            return None
        given = request.given.get(id_hash)
        if given is not None:
            return given
        application, place = found
        try:
            sealed = base64url.decode("".join(_chunks(request.cookies, application.cookies.name)))
        except ValueError:
            return None
        session = self._keys.open(sealed, place)
        return session if session is not None and session.id_hash == id_hash else None

    def _sealed(self, session: ProxySession, place: bytes) -> str:
        return base64url.encode(self._keys.seal(session, place))

    def _has_ended(self, session: ProxySession) -> bool:
        ids = [("id", session.id_hash.hex()), ("sub", session.claims.sub)]
        if session.claims.sid:
            ids.append(("sid", session.claims.sid))
        return self._ledger.has_ended(session.provider, session.created, ids)

    def _end(self, provider: int, kind: str, value: str) -> None:
        now = self._now()
        self._ledger.end(provider, kind, value, now, now + self.longest)


def _chunks(lines: list[bytes], name: bytes) -> list[str]:
    """The parts of the sealed session in a request's ``Cookie`` fields, in order; none where one stands twice."""
    found: dict[int, bytes] = {}
    prefix = name + b"_"
    for line in lines:
        if prefix not in line:
            continue
        for pair in line.split(b";"):
            stripped = pair.strip(b" \t")
            if not stripped.startswith(prefix):
                continue
            number, _, value = stripped[len(prefix) :].partition(b"=")
            if len(number) != 1 or not number.isdigit() or int(number) >= MAX_CHUNKS:
                continue
            if found.setdefault(int(number), value) != value:
                return []
    parts: list[str] = []
    while len(parts) in found and found[len(parts)].isascii():
        parts.append(found[len(parts)].decode("ascii"))
    return parts
