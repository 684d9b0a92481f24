"""Back-channel logout (OpenID Connect Back-Channel Logout 1.0): the issuer itself says that a login has ended.

The request carries no cookie and no secret: the logout token, signed by the issuer for this client, is all that counts.
Everything about it is checked (section 2.6) before a session ends, and each token ends something once; one whose
sessions could not be ended may come again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.outpost import pages, refusals
from doorward.outpost.application import Application
from doorward.outpost.foreign_login import ForeignLogins
from doorward.outpost.parameters import MAX_PARAMETERS
from doorward.outpost.paths import PREFIX
from doorward.outpost.ports import StoreUnavailable
from doorward.outpost.standalone.ledger import Ledger
from doorward.tokens import base64url
from doorward.tokens.issuer_keys import MAX_TOKEN
from doorward.tokens.openid import LEEWAY, Expected, check_access_token
from doorward.tokens.refused import TokenRefused

log = logging.getLogger(__name__)

PATH = f"{PREFIX}/backchannel_logout"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST = 300.0
"""Seconds after its making in which a logout token is taken."""


class Endings(Protocol):
    """Where sessions end."""

    def end_login(self, provider: int, subject: str, sid: str) -> None:
        """End the sessions of one login at the issuer, or of a person. Raises StoreUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """A logout token that counts: whose login is over, by either name or both."""

    sub: str
    sid: str
    once: str
    """What the ledger calls it."""
    expires: float


@dataclass(frozen=True, slots=True)
class BackChannelLogout:
    """Answers the endpoint."""

    applications: Callable[[], Iterable[Application]]
    logins: ForeignLogins
    store: Endings
    ledger: Ledger
    now: Callable[[], float]

    async def answer(self, question: HttpQuestion) -> HttpAnswer:
        """200 when the sessions have ended, 400 for a token that does not count, 503 when it cannot be said."""
        if question.method != b"POST":
            return refusals.method_not_allowed("POST")
        token = _token(question)
        if token is None:
            return _refused("a form with one logout_token is needed")
        meant = [each for each in self.applications() if _is_for(token, each)]
        if not meant:
            return _refused("the token is for no client of this outpost")
        if any(not application.provider.keys for application in meant):
            return pages.json(503, b'{"error":"temporarily_unavailable"}', (b"Retry-After", b"5"))
        try:
            checked = await self._checked(meant[0], token)
            for application in meant:
                self.store.end_login(application.provider.pk, checked.sub, checked.sid)
            self.ledger.use_state(checked.once, checked.expires, self.now())
        except TokenRefused as refused:
            log.warning("a logout token for %r is refused: %s", meant[0].provider.name, refused)
            return _refused(str(refused))
        except StoreUnavailable:
            return pages.json(503, b'{"error":"temporarily_unavailable"}', (b"Retry-After", b"5"))
        log.info("the issuer has ended a login at %s", ", ".join(each.provider.name for each in meant))
        return HttpAnswer(200, (pages.NO_STORE,))

    async def _checked(self, application: Application, token: str) -> Checked:
        """Raises TokenRefused, StoreUnavailable."""
        verified = await self.logins.verified(application, token)
        claims, provider, now = verified.claims, application.provider, self.now()
        named = {name: claims[name] for name in ("sub", "sid") if name in claims}
        if not named or not all(isinstance(value, str) and value for value in named.values()):
            raise TokenRefused("sid", "and sub are missing or not texts: whose login is meant?")
        expected = Expected(issuer=provider.issuer, client_id=provider.client_id, nonce=None, now=now)
        # The specification's first version had no ``exp``: then the token is good for LONGEST seconds.
        issued = claims.get("iat")
        if isinstance(issued, bool) or not isinstance(issued, int | float):
            raise TokenRefused("iat", "is missing or not a point in time")
        verified.claims.setdefault("exp", issued + LONGEST)
        verified.claims.setdefault("sub", "-")
        expires = check_access_token(verified, expected)
        if issued <= now - LONGEST - LEEWAY:
            raise TokenRefused("iat", "is too long ago")
        if "nonce" in claims:
            raise TokenRefused("nonce", "is there: this is an ID token")
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
            raise TokenRefused("events", "does not say that this is about a logout")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti:
            raise TokenRefused("jti", "is missing or not a text")
        once = f"logout {provider.issuer} {jti}"
        if self.ledger.is_used(once):
            raise TokenRefused("jti", "was used before")
        return Checked(named.get("sub", ""), named.get("sid", ""), once, max(expires, now) + LEEWAY)


def _token(question: HttpQuestion) -> str | None:
    kind = (question.first(b"content-type") or b"").partition(b";")[0].strip().lower()
    if kind != b"application/x-www-form-urlencoded" or len(question.body) > MAX_TOKEN * 2:
        return None
    try:
        pairs = parse_qsl(question.body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return None
    tokens = [value for name, value in pairs if name == "logout_token"]
    return tokens[0] if len(tokens) == 1 and len(tokens[0]) <= MAX_TOKEN else None


def _is_for(token: str, application: Application) -> bool:
    """Whether the token says so; nothing of it is believed yet."""
    try:
        claims = msgspec.json.decode(base64url.decode(token.split(".")[1]), type=dict[str, Any])
    except (IndexError, ValueError, msgspec.MsgspecError):
        return False
    audience = claims.get("aud")
    names = audience if isinstance(audience, list) else [audience]
    provider = application.provider
    return provider.foreign is not None and provider.client_id in names and claims.get("iss") == provider.issuer


def _refused(why: str) -> HttpAnswer:
    return pages.json(400, msgspec.json.encode({"error": "invalid_request", "error_description": why}))
