"""Sessions that outlive their access token: renewed before it ends, without a browser noticing.

Only for sessions whose issuer gave a refresh token, which stays on the server with the session. A refresh token works
once, and presenting it twice looks like theft (RFC 9700 section 4.14.2), so the worker that uses it claims it in the
store first: of fifty requests at four workers one goes to the issuer, and the others take what comes of it (S-326).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from doorward.messages.sessions import ProxySession
from doorward.outpost import verified_login
from doorward.outpost.application import Application
from doorward.outpost.back_channel import GrantRefused, TokenAnswer, request_tokens
from doorward.outpost.claims import NotAdmitted
from doorward.outpost.foreign_login import ForeignLogins, lifetime
from doorward.outpost.login_facts import with_facts_of
from doorward.outpost.ports import IdentityChannel, IdentityUnreachable, SessionStore, StoreUnavailable
from doorward.tokens.openid import Expected, check_access_token
from doorward.tokens.refused import TokenRefused

log = logging.getLogger(__name__)

BEFORE_THE_END = 300.0
"""Seconds before the access token's end at which it is renewed; a tenth of its life where that is less."""
CLAIM = 15.0
"""Seconds for which a claim keeps other workers away: longer than a question to the issuer can take."""
_LOOKS = 25
_PAUSE = 0.2
"""Seconds between two looks whether the worker that claimed it has finished."""


def due_from(session: ProxySession, application: Application) -> float:
    """Unix seconds from which on ``session`` is to be renewed; infinity when it cannot be."""
    if not session.refresh_token:
        return math.inf
    life = application.provider.access_token_validity
    if session.access_issued:
        life = max(session.access_expires - session.access_issued, 1.0)
    return session.access_expires - min(BEFORE_THE_END, life / 10)


@dataclass(frozen=True, slots=True)
class Renewal:
    """Renews sessions."""

    store: SessionStore
    channel: IdentityChannel
    now: Callable[[], float]
    foreign: ForeignLogins
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def if_due(self, session: ProxySession, application: Application) -> ProxySession | None:
        """``session`` as it may be used now: renewed when it is time, None when it cannot be any more.

        While the access token is still good no failure counts. Raises StoreUnavailable.
        """
        if self.now() < due_from(session, application):
            return session
        over = session.access_expires <= self.now()
        idle = application.provider.idle_limit
        if over and idle and self.now() - (session.last_seen or session.access_expires) > idle:
            await self._end(session, "nobody used it for longer than the idle limit")
            return None
        try:
            if await self.store.claim_renewal(
                session.id_hash, session.provider, _claim_of(session), self.now() + CLAIM
            ):
                return await self._renew(session, application)
            return await self._renewed_elsewhere(session) if over else session
        except (GrantRefused, TokenRefused, NotAdmitted) as refused:
            log.info("a session at %r cannot be renewed: %s", application.provider.name, refused)
            if not over and not isinstance(refused, NotAdmitted):
                return session
            await self._end(session, "the issuer does not renew it")
            return None
        except (IdentityUnreachable, StoreUnavailable) as error:
            log.warning("a session at %r could not be renewed: %s", application.provider.name, error)
            if over:
                raise StoreUnavailable("the session cannot be renewed just now") from error
            return session

    async def _renew(self, session: ProxySession, application: Application) -> ProxySession | None:
        grant = {"grant_type": "refresh_token", "refresh_token": session.refresh_token}
        tokens = await request_tokens(self.channel, application, grant)
        if application.provider.foreign is not None:
            renewed = await self._renewed_abroad(session, application, tokens)
        else:
            renewed = _renewed(session, application, tokens, self.now())
        for _ in range(3):  # what was issued is lost for good unless it is stored
            try:
                return renewed if await self.store.renew(renewed) else None
            except StoreUnavailable:
                await self.pause(_PAUSE)
        return renewed if await self.store.renew(renewed) else None

    async def _renewed_abroad(
        self, session: ProxySession, application: Application, tokens: TokenAnswer
    ) -> ProxySession:
        """The same at a foreign issuer. Where the answer has no ID token, what the last one said stands."""
        issuer, now = application.provider.foreign, self.now()
        assert issuer is not None
        claims, id_token = session.claims, session.id_token
        expires = now + lifetime(tokens)
        if tokens.id_token:
            login = await self.foreign.complete(application, tokens, None, subject=session.claims.sub)
            claims, id_token = with_facts_of(login.claims, session.claims), login.id_token
            if not claims.sid:
                claims = msgspec.structs.replace(claims, sid=session.claims.sid)
        return msgspec.structs.replace(
            session,
            claims=claims,
            id_token=id_token,
            access_token=tokens.access_token if issuer.keep_access_token else "",
            access_issued=now,
            access_expires=min(expires, now + application.provider.access_token_validity),
            refresh_token=tokens.refresh_token or session.refresh_token,
        )

    async def _renewed_elsewhere(self, session: ProxySession) -> ProxySession | None:
        for _ in range(_LOOKS):
            await self.pause(_PAUSE)
            found = await self.store.find(session.id_hash, session.provider, session.good_at)
            if found is None or found.access_expires > self.now():
                return found
        raise StoreUnavailable("another worker does not finish renewing this session")

    async def _end(self, session: ProxySession, why: str) -> None:
        log.info("a session has ended: %s", why)
        await self.store.end(session.id_hash, session.provider)


def _claim_of(session: ProxySession) -> str:
    """Names the refresh token without telling it."""
    return hashlib.sha256(b"renewal\0" + session.refresh_token.encode()).hexdigest()


def _renewed(session: ProxySession, application: Application, tokens: TokenAnswer, now: float) -> ProxySession:
    """``session`` with new tokens, and what they say of its person. Raises TokenRefused."""
    claims, id_token = session.claims, session.id_token
    if tokens.id_token:
        login = verified_login.verify(application, tokens, now, nonce=None)
        claims, id_token = with_facts_of(login.claims, session.claims), login.id_token
        access_expires = login.access_expires
        subject: object = claims.sub
        if not claims.sid:
            claims = msgspec.structs.replace(claims, sid=session.claims.sid)
    else:  # OpenID Connect Core section 12.2: there may be none
        provider = application.provider
        access = verified_login.keys_of(application).verify(tokens.access_token)
        expected = Expected(issuer=provider.issuer, client_id=provider.client_id, nonce=None, now=now)
        access_expires, subject = check_access_token(access, expected), access.claims["sub"]
    if subject != session.claims.sub:
        raise TokenRefused("sub", "is another person's than the session's")
    access_expires = min(access_expires, now + application.provider.access_token_validity)
    if access_expires <= now:
        raise TokenRefused("exp", "leaves no time")
    return msgspec.structs.replace(
        session,
        claims=claims,
        access_token=tokens.access_token,
        id_token=id_token,
        access_issued=now,
        access_expires=access_expires,
        refresh_token=tokens.refresh_token or session.refresh_token,
    )
