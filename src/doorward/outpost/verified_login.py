"""What tokens prove: they are checked here completely before anything else sees a claim.

An access token that is no JWT for this very client is refused, because applications are told that they can verify it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import msgspec

from doorward.messages.outposts import VerificationKey
from doorward.messages.sessions import Claims
from doorward.outpost.application import Application
from doorward.outpost.back_channel import TokenAnswer
from doorward.outpost.identity_headers import is_sayable
from doorward.outpost.login_facts import with_facts
from doorward.tokens.issuer_keys import IssuerKeys, PublicKey, issuer_keys
from doorward.tokens.openid import Expected, check_access_token, check_id_token
from doorward.tokens.refused import TokenRefused

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VerifiedLogin:
    """Who it is, all checks passed."""

    claims: Claims
    access_token: str
    id_token: str
    access_expires: float
    refresh_token: str = ""


def verify(application: Application, tokens: TokenAnswer, now: float, nonce: str | None) -> VerifiedLogin:
    """Both tokens, verified and of one person. ``nonce``: of the browser's login, None where none was asked for.

    Raises TokenRefused.
    """
    provider = application.provider
    expected = Expected(issuer=provider.issuer, client_id=provider.client_id, nonce=nonce, now=now)
    keys = keys_of(application)
    id_token = keys.verify(tokens.id_token)
    check_id_token(id_token, expected, tokens.access_token)
    access_token = keys.verify(tokens.access_token)
    access_expires = check_access_token(access_token, expected)
    if access_token.claims["sub"] != id_token.claims["sub"]:
        raise TokenRefused("sub", "differs between the two tokens")
    claims = with_facts(read_claims(id_token.claims), id_token.claims)
    return VerifiedLogin(claims, tokens.access_token, tokens.id_token, access_expires, tokens.refresh_token)


def keys_of(application: Application) -> IssuerKeys:
    """The issuer's keys. Raises TokenRefused when they cannot be used."""
    return keys_among(application.provider.keys)


def keys_among(published: tuple[VerificationKey, ...]) -> IssuerKeys:
    """An issuer's keys. Raises TokenRefused when they cannot be used."""
    try:
        return issuer_keys(tuple(PublicKey(key.kid, key.alg, key.jwk) for key in published))
    except ValueError as error:
        log.error("the keys of an issuer cannot be used: %s", error)
        raise TokenRefused("kid", "the configured keys of the issuer cannot be used") from error


def read_claims(claims: dict[str, Any]) -> Claims:
    """What is kept of verified claims. Raises TokenRefused when they name nobody that can be told on."""
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
