"""The OpenID Connect client: where to send a browser, and what to make of what it brings back.

Authorization code with PKCE, nonce and state (RFC 9700 section 2.1). The tokens are checked here completely before
anything else sees a claim; an access token that is no JWT for this very client is refused, because applications are
told that they can verify it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from doorward.messages.http import HttpQuestion
from doorward.messages.sessions import Claims
from doorward.outpost import login_state
from doorward.outpost.application import Application
from doorward.outpost.identity_headers import is_sayable
from doorward.outpost.login_state import LoginState
from doorward.outpost.ports import IdentityChannel
from doorward.outpost.sessions.cookie import Ticket
from doorward.tokens.issuer_keys import PublicKey, issuer_keys
from doorward.tokens.openid import Expected, check_access_token, check_id_token
from doorward.tokens.refused import TokenRefused

log = logging.getLogger(__name__)

_MAX_ANSWER = 1 << 20


class CodeRefused(Exception):
    """The token endpoint did not give tokens for the code; ``error`` is its error code, or the status."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A completed login, all checks passed."""

    claims: Claims
    access_token: str
    id_token: str
    access_expires: float


class _TokenAnswer(msgspec.Struct):
    access_token: str
    id_token: str


class _TokenError(msgspec.Struct):
    error: str = ""


def authorize_location(application: Application, state: LoginState, ticket: Ticket) -> str:
    """The authorization endpoint with the request for this login; parameters in alphabetical order."""
    provider = application.provider
    request = urlencode(
        {
            "client_id": provider.client_id,
            "code_challenge": login_state.challenge(login_state.verifier(application, state, ticket)),
            "code_challenge_method": "S256",
            "nonce": login_state.nonce(application, state, ticket),
            "redirect_uri": application.redirect_uri,
            "response_type": "code",
            "scope": " ".join(provider.scopes),
            "state": login_state.write(application, state),
        }
    )
    endpoint = provider.authorization_endpoint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{request}"


def end_session_location(application: Application, id_token: str, return_to: str) -> str:
    """The end-session endpoint (OpenID Connect RP-Initiated Logout); ``return_to`` may be empty."""
    request = {"id_token_hint": id_token}
    if return_to:
        request["post_logout_redirect_uri"] = return_to
    endpoint = application.provider.end_session_endpoint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(request)}"


class RelyingParty:
    """Turns codes into verified logins."""

    def __init__(self, channel: IdentityChannel, now: Callable[[], float]) -> None:
        self._channel = channel
        self._now = now

    async def redeem(self, application: Application, code: str, state: LoginState, ticket: Ticket) -> Redeemed:
        """Exchange ``code`` and verify what comes. Raises CodeRefused, TokenRefused, IdentityUnreachable."""
        tokens = await self._exchange(application, code, login_state.verifier(application, state, ticket))
        provider = application.provider
        expected = Expected(
            issuer=provider.issuer,
            client_id=provider.client_id,
            nonce=login_state.nonce(application, state, ticket),
            now=self._now(),
        )
        try:
            keys = issuer_keys(tuple(PublicKey(key.kid, key.alg, key.jwk) for key in provider.keys))
        except ValueError as error:
            log.error("the keys of provider %r cannot be used: %s", provider.name, error)
            raise TokenRefused("kid", "the configured keys of the issuer cannot be used") from error
        id_token = keys.verify(tokens.id_token)
        check_id_token(id_token, expected, tokens.access_token)
        access_token = keys.verify(tokens.access_token)
        access_expires = check_access_token(access_token, expected)
        if access_token.claims["sub"] != id_token.claims["sub"]:
            raise TokenRefused("sub", "differs between the two tokens")
        return Redeemed(read_claims(id_token.claims), tokens.access_token, tokens.id_token, access_expires)

    async def _exchange(self, application: Application, code: str, verifier: str) -> _TokenAnswer:
        provider = application.provider
        form = urlencode(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": application.redirect_uri,
                "client_id": provider.client_id,
                "client_secret": provider.client_secret,
                "code_verifier": verifier,
            }
        )
        parts = urlsplit(provider.token_endpoint)
        question = HttpQuestion(
            method=b"POST",
            target=(parts.path + (f"?{parts.query}" if parts.query else "")).encode(),
            headers=(
                (b"Host", parts.netloc.encode()),
                (b"Content-Type", b"application/x-www-form-urlencoded"),
                (b"Accept", b"application/json"),
            ),
            body=form.encode(),
        )
        answer = await self._channel.fetch(question, provider.token_endpoint)
        if answer.status != 200 or len(answer.body) > _MAX_ANSWER:
            raise CodeRefused(_error_code(answer.body) or f"status {answer.status}")
        try:
            return msgspec.json.decode(answer.body, type=_TokenAnswer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CodeRefused("the answer holds no tokens") from error


def read_claims(claims: dict[str, Any]) -> Claims:
    """What is kept of a verified ID token. Raises TokenRefused when it names nobody that can be told on."""
    ours = claims.get("ak_proxy")
    ours = ours if isinstance(ours, dict) else {}
    subject, username = _text(claims, "sub"), _text(claims, "preferred_username")
    if not is_sayable(subject) or not is_sayable(username):
        raise TokenRefused("preferred_username", "holds a control character")
    return Claims(
        sub=subject,
        sid=_text(claims, "sid"),
        preferred_username=username,
        name=_text(claims, "name"),
        email=_text(claims, "email"),
        groups=_names(claims, "groups"),
        entitlements=_names(claims, "entitlements"),
        is_superuser=ours.get("is_superuser") is True,
        user_attributes=_attributes(ours.get("user_attributes")),
    )


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _names(claims: dict[str, Any], name: str) -> tuple[str, ...]:
    value = claims.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _attributes(value: object) -> msgspec.Raw:
    if not isinstance(value, dict):
        return msgspec.Raw(b"\x80")
    try:
        return msgspec.Raw(msgspec.msgpack.encode(value))
    except (OverflowError, ValueError) as error:
        log.warning("the user's attributes are left out: %s", error)
        return msgspec.Raw(b"\x80")


def _error_code(body: bytes) -> str:
    try:
        error = msgspec.json.decode(body[:_MAX_ANSWER], type=_TokenError).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return error[:64] if error.isascii() and error.isprintable() else ""
