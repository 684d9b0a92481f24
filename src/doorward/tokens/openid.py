"""What the claims of verified tokens must say before anybody is logged in (OpenID Connect Core section 3.1.3.7).

Pure: the claims, what is expected and the time go in, nothing comes out but a refusal that names the claim.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from dataclasses import dataclass
from typing import Any

from doorward.tokens import base64url
from doorward.tokens.issuer_keys import Verified
from doorward.tokens.refused import TokenRefused

LEEWAY = 60.0
"""Seconds that two clocks may differ (RFC 7519 section 4.1.4)."""
MAX_AGE_AT_LOGIN = 300.0
"""Seconds after ``iat`` within which an ID token may be used to log in."""

_HASH_OF_ALG = {"256": "sha256", "384": "sha384", "512": "sha512"}


@dataclass(frozen=True, slots=True)
class Expected:
    """What this client knows about the login that the tokens are for."""

    issuer: str
    client_id: str
    nonce: str | None
    """None when the tokens are not of a browser's login, so that no nonce was asked for."""
    now: float


def check_id_token(token: Verified, expected: Expected, access_token: str) -> None:
    """Raises TokenRefused unless the ID token is for this client, this login and this moment.

    ``at_hash`` is checked when present.
    """
    claims = token.claims
    _check_common(claims, expected)
    audience = claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if (several or "azp" in claims) and claims.get("azp") != expected.client_id:
        raise TokenRefused("azp", "is not this client")
    if expected.nonce is not None:
        _check_nonce(claims.get("nonce"), expected.nonce)
    issued = _time(claims, "iat")
    if issued is None:
        raise TokenRefused("iat", "is missing")
    if issued <= expected.now - MAX_AGE_AT_LOGIN:
        raise TokenRefused("iat", "is too long ago for a login")
    if "at_hash" in claims and claims["at_hash"] != token_hash(access_token, token.alg):
        raise TokenRefused("at_hash", "is not of the access token that came along")


def check_access_token(token: Verified, expected: Expected) -> float:
    """The access token's expiry (Unix seconds). Raises TokenRefused unless it was issued to this client."""
    _check_common(token.claims, expected)
    return _expiry(token.claims)


def token_hash(token: str, alg: str) -> str:
    """``at_hash`` of ``token`` (OpenID Connect Core section 3.1.3.6): left half of its hash, base64url."""
    digest = hashlib.new(_HASH_OF_ALG.get(alg[-3:], "sha512"), token.encode("ascii", "replace")).digest()
    return base64url.encode(digest[: len(digest) // 2])


def _check_nonce(nonce: object, expected: str) -> None:
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.encode()):
        raise TokenRefused("nonce", "is not the one of this login")


def _check_common(claims: dict[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise TokenRefused("iss", "is not the configured issuer")
    audience = claims.get("aud")
    names = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in names:
        raise TokenRefused("aud", "does not name this client")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise TokenRefused("sub", "is missing or not a text")
    if _expiry(claims) <= expected.now - LEEWAY:
        raise TokenRefused("exp", "has passed")
    for name in ("nbf", "iat"):
        time = _time(claims, name)
        if time is not None and time > expected.now + LEEWAY:
            raise TokenRefused(name, "lies in the future")


def _expiry(claims: dict[str, Any]) -> float:
    expiry = _time(claims, "exp")
    if expiry is None:
        raise TokenRefused("exp", "is missing")
    return expiry


def _time(claims: dict[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519 section 2), or None when the claim is absent. Nothing is converted (S-433)."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise TokenRefused(name, "is not a point in time")
    return float(value)
