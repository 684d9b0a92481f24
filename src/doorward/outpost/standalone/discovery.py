"""What an issuer publishes about itself (OpenID Connect Discovery), and its keys (RFC 7517), as far as we use them.

Both documents come from outside: they are bounded, read strictly, and what they leave open is decided here and not by
a token. A key without ``alg`` is for the algorithm that goes with its type and that the issuer says it signs with.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import Struct

from doorward.messages.outposts import VerificationKey
from doorward.tokens.issuer_keys import IssuerKeys, PublicKey, usual_algorithm

MAX_DOCUMENT = 262144
"""Bytes (``contracts/security.md`` section 3)."""
WELL_KNOWN = "/.well-known/openid-configuration"
_RSA = ("RS256", "PS256", "RS384", "PS384", "RS512", "PS512")
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_USED = ("userinfo_endpoint", "end_session_endpoint", "introspection_endpoint")
_PUBLIC = frozenset({"kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y"})


class NotAnIssuer(Exception):
    """The document is not what an OpenID Connect issuer publishes; says what is wrong with it."""


class Published(Struct, frozen=True):
    """The metadata that we use."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    introspection_endpoint: str = ""
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False
    scopes_supported: tuple[str, ...] = ()
    backchannel_logout_supported: bool = False


def url_of(issuer: str) -> str:
    """Where the document of ``issuer`` is."""
    return issuer.rstrip("/") + WELL_KNOWN


def read(body: bytes, issuer: str, *, keys_only: bool = False) -> Published:
    """The document at ``url_of(issuer)``; ``keys_only``: nobody logs in there. Raises NotAnIssuer."""
    try:
        published = msgspec.json.decode(body, type=Published)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAnIssuer(f"its document is not that of an OpenID Connect issuer: {error}") from error
    if published.issuer != issuer:
        # Section 4.3: exactly. Otherwise tokens of one tenant could pass for those of another.
        raise NotAnIssuer(
            f"it calls itself {published.issuer!r}, which is not the configured {issuer!r}; they must be the same to "
            "the last character"
        )
    secure = issuer.startswith("https://")
    for name in _NEEDED + _USED:
        url = str(getattr(published, name))
        if url.startswith("https://") or (not url and (name in _USED or (keys_only and name != "jwks_uri"))):
            continue
        if secure or not url.startswith("http://"):  # whoever is on the way could then speak for the issuer
            raise NotAnIssuer(f"its {name} is {url!r}, which is no https URL")
    return published


def read_keys(body: bytes, algorithms: tuple[str, ...]) -> tuple[VerificationKey, ...]:
    """The signing keys in a key set; those that we cannot use are left out. Raises NotAnIssuer when none is left."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any]).get("keys")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAnIssuer(f"its key set is no JSON object: {error}") from error
    keys = [key for jwk in found if isinstance(jwk, dict) and (key := _key(jwk, algorithms))] if found else []
    if not keys:
        hint = ""
        if any(each.startswith("HS") for each in algorithms):
            hint = (
                " It signs with the client secret (HS256): choose a signing key for this client at the issuer, so that "
                "everybody who must can verify a token and nobody can make one"
            )
        raise NotAnIssuer("it publishes no key that can verify a signature." + hint)
    return tuple(keys)


def _key(jwk: dict[str, Any], algorithms: tuple[str, ...]) -> VerificationKey | None:
    use, operations = jwk.get("use", "sig"), jwk.get("key_ops", ["verify"])
    if use != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    alg, kid = jwk.get("alg") or _algorithm(jwk, algorithms), jwk.get("kid", "")
    if not isinstance(alg, str) or not isinstance(kid, str):
        return None
    public = {name: value for name, value in jwk.items() if name in _PUBLIC and name != "key_ops"}
    text = json.dumps({**public, "alg": alg, "use": "sig"}, sort_keys=True)
    try:
        IssuerKeys((PublicKey(kid, alg, text),))
    except ValueError:
        return None
    return VerificationKey(kid, alg, text)


def _algorithm(jwk: dict[str, Any], algorithms: tuple[str, ...]) -> str | None:
    if jwk.get("kty") == "RSA":
        return next((each for each in _RSA if each in algorithms), "RS256")
    return usual_algorithm(jwk)
