"""Tokens that a program brings from a source's issuer: its own name there, said for us (RFC 7523 section 3).

What a token says of itself before its signature is checked is used for one thing: to find the source that it may be
of. Nobody is asked anything for a token of an issuer that is not trusted.

*Who it is for* decides. An issuer gives tokens to thousands of clients, and each of them could bring its own here: so
all that ``aud`` names must be us. Tokens of a browser's login and of a log-out have the right audience too, and are not
meant for this: they are told by their claims.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from doorward.identity.sources.models import OAuthSource
from doorward.identity.sources.oauth import endpoints as places
from doorward.identity.sources.oauth.presets import BY_NAME
from doorward.tokens import base64url
from doorward.tokens.issuer_keys import MAX_TOKEN, IssuerKeys, Verified
from doorward.tokens.openid import Expected, check_access_token
from doorward.tokens.refused import TokenRefused

LONGEST_IDENTIFIER = 1024
_OF_OTHER_USES = ("nonce", "at_hash", "c_hash", "s_hash", "events", "cnf")
"""Of an ID token that a browser was given, a log-out token, and one that only the holder of some key may use."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a good token says."""

    source: OAuthSource
    identifier: str
    """Of whoever brought it, at the source."""
    expires: float
    """Unix seconds."""


def well_known_url(source: OAuthSource) -> str:
    """Where the source says who its issuer is; empty for one that has none, whose tokens nobody can believe."""
    return source.oidc_well_known_url or BY_NAME[source.provider_type].well_known_url


def of_issuer(sources: Iterable[OAuthSource], token: str) -> OAuthSource | None:
    """The one of ``sources`` that ``token`` says that it is of; nothing about it is believed yet."""
    unverified_issuer = _unverified_claims(token).get("iss")
    if not isinstance(unverified_issuer, str) or not unverified_issuer:
        return None
    address = unverified_issuer.rstrip("/") + places.WELL_KNOWN
    return next((source for source in sources if well_known_url(source) == address), None)


def verified(source: OAuthSource, token: str, audiences: frozenset[str]) -> Assertion:
    """What ``token`` says, if the source signed it for nobody but ``audiences``. Raises TokenRefused, SourceFailed."""
    found = places.discovered(well_known_url(source))
    checked = _signed(source, found, token)
    claims = checked.claims
    audience = _only(audiences, claims.get("aud"))
    expected = Expected(issuer=str(found["issuer"]), client_id=audience, nonce=None, now=time.time())
    expires = check_access_token(checked, expected)
    for name in _OF_OTHER_USES:
        if name in claims:
            raise TokenRefused(name, "tells that this token is meant for something else")
    identifier = BY_NAME[source.provider_type].read(claims).identifier
    if not identifier or len(identifier) > LONGEST_IDENTIFIER or "\0" in identifier:
        raise TokenRefused("sub", "is no identifier")
    return Assertion(source, identifier, expires)


def _signed(source: OAuthSource, found: dict[str, object], token: str) -> Verified:
    try:
        return _keys(source, found).verify(token)
    except TokenRefused as refused:
        if refused.part != "kid" or source.oidc_jwks:
            raise
    # The keys may be new, and may have moved; either is asked at most every 30 seconds (S-447).
    return _keys(source, places.discovered(well_known_url(source), newer=True), newer=True).verify(token)


def _keys(source: OAuthSource, found: dict[str, object], *, newer: bool = False) -> IssuerKeys:
    where = source.oidc_jwks_url or found.get("jwks_uri")
    return places.keys(source, where if isinstance(where, str) else "", newer=newer)


def _only(audiences: frozenset[str], said: object) -> str:
    """The audience, of which the token must have no other: whoever else it is for could bring it here."""
    names = said if isinstance(said, list) else [said]
    if not names or not all(isinstance(name, str) and name in audiences for name in names):
        raise TokenRefused("aud", "names somebody else than this provider")
    return str(names[0])


def _unverified_claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(token) > MAX_TOKEN or len(parts) != 3:
        return {}
    try:
        claims = msgspec.json.decode(base64url.decode(parts[1]))
    except (ValueError, msgspec.DecodeError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
