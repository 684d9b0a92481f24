"""A client that proves with its own signature who it is (RFC 7523 section 3, ``private_key_jwt``; S-436).

The assertion must be about the client itself, for us, short-lived and new: each ``jti`` counts once, which the database
decides. What it says of itself before the signature is checked is used for one thing: to find the client's keys.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import IntegrityError, transaction

from doorward.identity.crypto import vault
from doorward.identity.oauth2 import client_keys
from doorward.identity.oauth2.issuer import endpoints_of
from doorward.identity.oauth2.models import OAuth2Provider, UsedAssertion
from doorward.tokens import base64url
from doorward.tokens.issuer_keys import MAX_TOKEN, IssuerKeys
from doorward.tokens.refused import TokenRefused

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE = 300.0
"""Seconds until it expires, at most."""
LEEWAY = 60.0
"""Seconds that two clocks may differ."""
LONGEST_JTI = 255
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


def named_client(assertion: str) -> str:
    """Whom an assertion says it comes from; nothing about it is proven. Empty for anything that is none."""
    parts = assertion.split(".")
    if len(assertion) > MAX_TOKEN or len(parts) != 3:
        return ""
    try:
        claims = msgspec.json.decode(base64url.decode(parts[1]))
    except (ValueError, msgspec.DecodeError, RecursionError):
        return ""
    said = claims.get("sub") if isinstance(claims, dict) else None
    return said if isinstance(said, str) and claims.get("iss") == said else ""


def proves(provider: OAuth2Provider, assertion: str) -> bool:
    """Whether the client signed it, for us, now, and for the first time."""
    claims = _verified(provider, assertion)
    return claims is not None and _says_what_it_must(provider, claims) and _is_first(provider, claims)


def _verified(provider: OAuth2Provider, assertion: str) -> dict[str, Any] | None:
    keys = client_keys.keys_of(provider)
    try:
        return keys.verify(assertion).claims if keys is not None else None
    except TokenRefused as refused:
        # Only a key that we do not know is worth asking for again.
        newer = client_keys.keys_of(provider, newer=True) if refused.part == "kid" else None
    return _checked(newer, assertion) if newer is not None and newer is not keys else None


def _checked(keys: IssuerKeys, assertion: str) -> dict[str, Any] | None:
    try:
        return keys.verify(assertion).claims
    except TokenRefused:
        return None


def _says_what_it_must(provider: OAuth2Provider, claims: dict[str, Any]) -> bool:
    now = time.time()
    expires, begins, issued = (_moment(claims.get(name)) for name in ("exp", "nbf", "iat"))
    in_time = expires is not None and now - LEEWAY < expires <= now + LONGEST_LIFE + LEEWAY
    begun = all(moment is None or moment <= now + LEEWAY for moment in (begins, issued))
    well_formed = all(claims.get(name) is None or _moment(claims[name]) is not None for name in ("nbf", "iat"))
    jti = claims.get("jti")
    return (
        claims.get("iss") == claims.get("sub") == provider.client_id
        and _is_for_us(provider, claims.get("aud"))
        and in_time
        and begun
        and well_formed
        and isinstance(jti, str)
        and 0 < len(jti) <= LONGEST_JTI
    )


def _is_for_us(provider: OAuth2Provider, audience: object) -> bool:
    """All of it: an assertion that is good elsewhere too could be brought here by whoever got it there."""
    where = endpoints_of(provider)
    ours = {where.issuer, where.token, where.pushed_authorization, where.introspection, where.revocation}
    named = audience if isinstance(audience, list) else [audience]
    return bool(named) and all(isinstance(name, str) and name in ours for name in named)


def _is_first(provider: OAuth2Provider, claims: dict[str, Any]) -> bool:
    used = UsedAssertion(
        assertion_hash=vault.digest(f"assertion\0{provider.client_id}\0{claims['jti']}"),
        expires=datetime.fromtimestamp(float(claims["exp"]) + LEEWAY, UTC),
    )
    try:
        with transaction.atomic():
            used.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _moment(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
