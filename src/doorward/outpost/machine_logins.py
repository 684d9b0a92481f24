"""Who a program is: asked of the issuer, because only the issuer knows what was revoked a moment ago.

An app password is exchanged for tokens (``client_credentials`` with user name and password); the tokens are verified
like those of a browser's login. A bearer token must be an access token that was issued to this very client: it is
verified here first, which costs the issuer nothing and keeps other clients' tokens out (S-318, CVE-2024-47077), and
then introspected. An issuer without an introspection endpoint is believed by its signature alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from doorward.messages.outposts import ForeignIssuer, TrustedIssuer
from doorward.outpost import claims as reading
from doorward.outpost import verified_login
from doorward.outpost.application import Application
from doorward.outpost.back_channel import MAX_ANSWER, GrantRefused, post_form, request_tokens
from doorward.outpost.claims import NotAdmitted
from doorward.outpost.credential import USER_OF_TOKENS, AppPassword, BearerToken
from doorward.outpost.foreign_login import ForeignLogins
from doorward.outpost.ports import IdentityChannel
from doorward.outpost.verified_login import VerifiedLogin, read_claims
from doorward.tokens import base64url
from doorward.tokens.openid import Expected, check_access_token
from doorward.tokens.refused import TokenRefused

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FOREVER = 32503680000.0


class CredentialRefused(Exception):
    """Nobody is recognised by this."""


@dataclass(frozen=True, slots=True)
class MachineLogins:
    """Asks the issuer about credentials."""

    channel: IdentityChannel
    now: Callable[[], float]
    foreign: ForeignLogins

    async def recognise(
        self, application: Application, credential: AppPassword | BearerToken, client_ip: str
    ) -> VerifiedLogin:
        """Who presents ``credential``. Raises CredentialRefused, IdentityUnreachable."""
        try:
            if application.provider.foreign is not None:
                return await self._abroad(application, application.provider.foreign, credential)
            if isinstance(credential, AppPassword):
                return await self._by_app_password(application, credential, client_ip)
            if credential.token.count(".") != 2:  # no JWT: perhaps an app password for this application alone
                return await self._by_app_password(
                    application, AppPassword(USER_OF_TOKENS, credential.token), client_ip
                )
            if application.provider.trusts_other_clients and not _is_for_us(application, credential.token):
                return await self._by_others_token(application, credential.token, client_ip)
            return await self._by_token(application, credential.token, client_ip)
        except (GrantRefused, TokenRefused, NotAdmitted) as refused:
            raise CredentialRefused(str(refused)) from refused

    async def _abroad(
        self, application: Application, issuer: ForeignIssuer, credential: AppPassword | BearerToken
    ) -> VerifiedLogin:
        """At a foreign issuer a program shows a signed token that is for this client: an ID token, or an access token
        that is a JWT. What was revoked is not known there; the token's own end is."""
        if isinstance(credential, AppPassword):
            raise CredentialRefused("this issuer has no app passwords")
        provider, trusted = application.provider, _trusted(application, credential.token)
        if trusted is not None:
            return await self._trusted(application, trusted, credential.token)
        verified = await self.foreign.verified(application, credential.token)
        expected = Expected(issuer=provider.issuer, client_id=provider.client_id, nonce=None, now=self.now())
        expires = check_access_token(verified, expected)
        claims = await self.foreign.completed(issuer, verified.claims, "")
        reading.admit(claims, issuer)
        return VerifiedLogin(reading.read(claims, issuer), "", credential.token, expires)

    async def _trusted(self, application: Application, trusted: TrustedIssuer, token: str) -> VerifiedLogin:
        """A token of another issuer that the configuration names: by its own keys, for an audience of its own, under
        rules of its own. Nothing of it is kept, and the application gets no token (it could not know whose it is)."""
        verified = await self.foreign.verified_by(application, trusted, token)
        said = verified.claims.get("aud")
        names = said if isinstance(said, list) else [said]
        audience = next((each for each in trusted.audiences if each in names), trusted.audiences[0])
        expected = Expected(issuer=trusted.issuer, client_id=audience, nonce=None, now=self.now())
        expires = check_access_token(verified, expected)
        reading.admit(verified.claims, trusted.says)
        return VerifiedLogin(reading.read(verified.claims, trusted.says), "", "", expires)

    async def _by_app_password(self, application: Application, given: AppPassword, client_ip: str) -> VerifiedLogin:
        grant = {
            "grant_type": "client_credentials",
            "username": given.username,
            "password": given.password,
            "scope": " ".join(application.provider.scopes),
        }
        tokens = await request_tokens(self.channel, application, grant, client_ip)
        return verified_login.verify(application, tokens, self.now(), nonce=None)

    async def _by_others_token(self, application: Application, token: str, client_ip: str) -> VerifiedLogin:
        """A token for another client, or of another issuer: ours may exchange it for tokens of this client, if the
        provider trusts whoever it is from, and only the issuer knows (``contracts/identity.md`` section 2.3)."""
        grant = {
            "grant_type": "client_credentials",
            "client_assertion_type": JWT_BEARER,
            "client_assertion": token,
            "scope": " ".join(application.provider.scopes),
        }
        tokens = await request_tokens(self.channel, application, grant, client_ip)
        return verified_login.verify(application, tokens, self.now(), nonce=None)

    async def _by_token(self, application: Application, token: str, client_ip: str) -> VerifiedLogin:
        provider = application.provider
        claims: dict[str, Any] = {}
        expires = _FOREVER
        signed = bool(provider.keys)
        if signed:
            verified = verified_login.keys_of(application).verify(token)
            expected = Expected(issuer=provider.issuer, client_id=provider.client_id, nonce=None, now=self.now())
            expires = check_access_token(verified, expected)
            claims = verified.claims
            if "at_hash" in claims or "nonce" in claims:
                raise TokenRefused("at_hash", "tells that this is an ID token")
        elif not provider.introspection_endpoint:
            raise TokenRefused("kid", "cannot be verified: the issuer has neither keys nor an introspection endpoint")
        if provider.introspection_endpoint:
            said = await self._introspect(application, token, client_ip)
            if signed and said.get("sub") != claims["sub"]:
                raise TokenRefused("sub", "is another one in the issuer's answer")
            claims = {**claims, **said}
            expires = min(expires, _expiry(said))
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise TokenRefused("sub", "is missing or not a text")
        if not claims.get("preferred_username"):
            claims["preferred_username"] = claims.get("username")  # RFC 7662 section 2.2
        return VerifiedLogin(read_claims(claims), token if signed else "", "", expires)

    async def _introspect(self, application: Application, token: str, client_ip: str) -> dict[str, Any]:
        provider = application.provider
        form = {
            "token": token,
            "token_type_hint": "access_token",
            "client_id": provider.client_id,
            "client_secret": provider.client_secret,
        }
        answer = await post_form(self.channel, provider.introspection_endpoint, form, client_ip)
        if answer.status != 200 or len(answer.body) > MAX_ANSWER:
            raise GrantRefused(f"introspection answered {answer.status}")
        try:
            said = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GrantRefused("introspection answered no JSON object") from error
        if said.get("active") is not True:
            raise TokenRefused("active", "is not true")
        if not _is_for(provider.client_id, said):
            raise TokenRefused("aud", "does not name this client")
        return said


def _trusted(application: Application, token: str) -> TrustedIssuer | None:
    """Whose token ``token`` says that it is, if that is one that is trusted here; nothing is believed of it yet."""
    if not application.provider.trusted:
        return None
    unverified = _unverified_claims(token).get("iss")
    return next((each for each in application.provider.trusted if each.issuer == unverified), None)


def _unverified_claims(token: str) -> dict[str, Any]:
    """What is written in ``token``; empty when it cannot be read."""
    try:
        return msgspec.json.decode(base64url.decode(token.split(".")[1]), type=dict[str, Any])
    except (ValueError, IndexError, msgspec.DecodeError):
        return {}


def _is_for_us(application: Application, token: str) -> bool:
    """Whether ``token`` says that it is this client's own, or says nothing; nothing of it is believed here."""
    unverified = _unverified_claims(token)
    if isinstance(unverified.get("iss"), str) and unverified["iss"] != application.provider.issuer:
        return False
    audience = unverified.get("aud")
    return not isinstance(audience, str) or audience == application.provider.client_id


def _is_for(client_id: str, said: dict[str, Any]) -> bool:
    """Whether an introspection answer is about a token of this client, and says so."""
    audience = said.get("aud")
    names = audience if isinstance(audience, list) else [audience]
    named = said.get("client_id")
    return (client_id in names or audience is None) and named in (client_id, None) and (audience or named) is not None


def _expiry(said: dict[str, Any]) -> float:
    expires = said.get("exp")
    return float(expires) if isinstance(expires, int | float) and not isinstance(expires, bool) else _FOREVER
