"""Logins at an issuer that knows nothing of us: who it is stands in the ID token and, where that is brief, in the
userinfo; who may enter stands in our configuration.

The access token is the issuer's own business here: it may be opaque, or for another audience. It is never read, only
shown to the userinfo endpoint, and kept only where the application wants it. ``X-authentik-jwt`` is the ID token,
which is for this client and which the application can verify.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from doorward.messages.http import HttpQuestion
from doorward.messages.outposts import ForeignIssuer, TrustedIssuer
from doorward.outpost import claims as reading
from doorward.outpost.application import Application
from doorward.outpost.back_channel import MAX_ANSWER, TokenAnswer
from doorward.outpost.login_facts import with_facts
from doorward.outpost.ports import IdentityChannel, IdentityUnreachable
from doorward.outpost.verified_login import VerifiedLogin, keys_among, keys_of
from doorward.tokens.issuer_keys import Verified
from doorward.tokens.openid import Expected, check_id_token
from doorward.tokens.refused import TokenRefused

log = logging.getLogger(__name__)

SHORTEST = 5.0
"""Seconds for which an access token is taken to be good at least: renewing takes time, too."""
UNSAID = 3600.0
"""Seconds for one whose issuer does not say it."""
FOREVER = 32503680000.0

NewerKeys = Callable[[Application, str], Awaitable[Application | None]]
"""The application with the keys of this issuer as they are now; None when they were fetched a moment ago."""


async def no_newer_keys(application: Application, issuer: str) -> Application | None:
    """For issuers whose keys are pushed to us."""
    return None


@dataclass(frozen=True, slots=True)
class ForeignLogins:
    """Makes logins of tokens."""

    channel: IdentityChannel
    now: Callable[[], float]
    newer_keys: NewerKeys = no_newer_keys

    async def complete(
        self, application: Application, tokens: TokenAnswer, nonce: str | None, subject: str = ""
    ) -> VerifiedLogin:
        """Who has logged in, let in by our own rules. ``subject``: whom a refreshed ID token must be about.

        Raises TokenRefused, NotAdmitted, IdentityUnreachable.
        """
        issuer = _foreign(application)
        verified = await self.verified(application, tokens.id_token)
        provider = application.provider
        expected = Expected(issuer=provider.issuer, client_id=provider.client_id, nonce=nonce, now=self.now())
        check_id_token(verified, expected, tokens.access_token)
        if subject and verified.claims["sub"] != subject:
            raise TokenRefused("sub", "is another person's than the session's")
        claims = await self.completed(issuer, verified.claims, tokens.access_token)
        reading.admit(claims, issuer)
        expires = self.now() + lifetime(tokens)
        if issuer.outlives_tokens and not tokens.refresh_token:
            expires = FOREVER
        access_token = tokens.access_token if issuer.keep_access_token else ""
        kept = with_facts(reading.read(claims, issuer), verified.claims)  # of the userinfo they would prove nothing
        return VerifiedLogin(kept, access_token, tokens.id_token, expires, tokens.refresh_token)

    async def verified(self, application: Application, token: str) -> Verified:
        """The claims of a token of the issuer's. One signed with a key that we do not know makes us look at the
        issuer's keys again, once. Raises TokenRefused."""
        try:
            return keys_of(application).verify(token)
        except TokenRefused as refused:
            newer = await self.newer_keys(application, application.provider.issuer) if refused.part == "kid" else None
            if newer is None:
                raise
            return keys_of(newer).verify(token)

    async def verified_by(self, application: Application, trusted: TrustedIssuer, token: str) -> Verified:
        """The claims of a token of another issuer; its keys are looked at again likewise. Raises TokenRefused."""
        try:
            return keys_among(trusted.keys).verify(token)
        except TokenRefused as refused:
            newer = await self.newer_keys(application, trusted.issuer) if refused.part == "kid" else None
            found = newer.provider.trusted if newer is not None else ()
            keys = next((each.keys for each in found if each.issuer == trusted.issuer), None)
            if keys is None:
                raise
            return keys_among(keys).verify(token)

    async def completed(self, issuer: ForeignIssuer, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """The claims with what the userinfo adds; what the ID token says stands."""
        if not issuer.userinfo_endpoint or issuer.userinfo == "never" or not access_token:
            return claims
        if issuer.userinfo != "always" and reading.is_complete(claims, issuer):
            return claims
        said = await self._userinfo(issuer.userinfo_endpoint, access_token)
        if said.get("sub") != claims["sub"]:
            raise TokenRefused("sub", "is another one in the userinfo")  # OpenID Connect Core section 5.3.2
        return {**said, **claims}

    async def _userinfo(self, url: str, access_token: str) -> Mapping[str, Any]:
        parts = urlsplit(url)
        if not access_token.isascii() or not access_token.isprintable():
            raise TokenRefused("access_token", "cannot stand in a header field")
        headers = (
            (b"Host", parts.netloc.encode()),
            (b"Authorization", f"Bearer {access_token}".encode()),
            (b"Accept", b"application/json"),
        )
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        answer = await self.channel.fetch(HttpQuestion(b"GET", target.encode(), headers), url)
        if answer.status != 200 or len(answer.body) > MAX_ANSWER:
            raise IdentityUnreachable(f"the userinfo endpoint answered {answer.status}")
        try:
            return msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise IdentityUnreachable("the userinfo is no JSON object") from error


def lifetime(tokens: TokenAnswer) -> float:
    """Seconds for which the access token is good. Some issuers write the number as text."""
    said = tokens.expires_in
    if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) < 10:
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int | float):
        return UNSAID
    return max(float(said), SHORTEST)


def _foreign(application: Application) -> ForeignIssuer:
    issuer = application.provider.foreign
    assert issuer is not None
    return issuer
