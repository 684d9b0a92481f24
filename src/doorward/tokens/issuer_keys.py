"""Signatures of an OpenID Connect issuer, checked with keys that we were given and never with what a token names.

Parse, permit, verify: the token is taken apart without believing it; its ``kid`` is an exact look-up among the
issuer's keys; the key, not the token, says which algorithm is used (RFC 8725 section 3.1), so that an RSA key can
never become an HMAC secret. ``jku``, ``x5u``, ``jwk`` and ``x5c`` are never looked at (RFC 8725 section 3.10).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from doorward.tokens import base64url
from doorward.tokens.refused import TokenRefused

MAX_TOKEN = 16384
"""Bytes (``contracts/security.md`` section 3); refused by size before any work (S-434)."""

_KEY_TYPES: dict[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
    "RS256": RSAKey, "RS384": RSAKey, "RS512": RSAKey, "PS256": RSAKey, "PS384": RSAKey, "PS512": RSAKey,
    "ES256": ECKey, "ES384": ECKey, "ES512": ECKey, "EdDSA": OKPKey, "Ed25519": OKPKey,
}  # fmt: skip
_HEADER_NAMES = frozenset({"alg", "kid", "typ", "cty", "jku", "x5u", "jwk", "x5c", "x5t", "x5t#S256"})


_USUAL = {"RSA": "RS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}


def usual_algorithm(jwk: dict[str, Any]) -> str | None:
    """What a key that names no algorithm is for, by its kind alone; None for kinds that sign nothing here."""
    return _USUAL.get(str(jwk.get("crv", jwk.get("kty"))))


class PublicKey(NamedTuple):
    """A key as an issuer publishes it."""

    kid: str
    alg: str
    """The only algorithm that it is used for."""
    jwk: str
    """The public JWK, as JSON text."""


class Registry(jws.JWSRegistry):
    """The library's limits, widened to ours: a header with a long ``kid`` or certificate thumbprint is no attack."""

    max_header_length = 4096
    max_payload_length = MAX_TOKEN

    def get_alg(self, name: str) -> Any:
        """Without the warning that EdDSA has a new name (RFC 9864): our clients know the old one."""
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(f"Algorithm of '{name}' is not allowed")
        return self.algorithms[name]


@dataclass(frozen=True, slots=True)
class Verified:
    """The payload of a token whose signature is good."""

    claims: dict[str, Any]
    alg: str


class _Key:
    """One public key and the only algorithm it is for."""

    def __init__(self, key: PublicKey) -> None:
        self.alg = key.alg
        self._key = _KEY_TYPES[key.alg].import_key(msgspec.json.decode(key.jwk))
        self._registry = Registry(algorithms=[key.alg], strict_check_header=False)

    def verify(self, token: str) -> bytes:
        return jws.deserialize_compact(token, self._key, registry=self._registry).payload


class IssuerKeys:
    """The published keys of one issuer."""

    def __init__(self, keys: tuple[PublicKey, ...]) -> None:
        """Raises ValueError for a key that is no public key of a known asymmetric algorithm."""
        self._by_kid: dict[str, _Key] = {}
        for key in keys:
            if key.alg not in _KEY_TYPES:
                raise ValueError(f"key {key.kid!r} is for the unknown algorithm {key.alg!r}")
            try:
                self._by_kid[key.kid] = _Key(key)
            except (JoseError, ValueError, TypeError, KeyError, msgspec.DecodeError) as error:
                raise ValueError(f"key {key.kid!r} is not a usable {key.alg} key") from error

    def verify(self, token: str) -> Verified:
        """The claims of a token that one of these keys signed; nothing else about them is checked.

        Raises TokenRefused.
        """
        header = _unverified_header(token)
        key = self._key_for(header)
        if header.get("alg") != key.alg:
            raise TokenRefused("alg", "is not the algorithm of this key")
        try:
            payload = key.verify(token)
        except (JoseError, ValueError, TypeError) as error:
            raise TokenRefused("signature", "does not match") from error
        return Verified(_json_object(payload, "format"), key.alg)

    def _key_for(self, header: dict[str, Any]) -> _Key:
        kid = header.get("kid")
        if kid is None and len(self._by_kid) == 1:
            return next(iter(self._by_kid.values()))
        key = self._by_kid.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise TokenRefused("kid", "names no key of this issuer")
        return key


@lru_cache(maxsize=64)
def issuer_keys(keys: tuple[PublicKey, ...]) -> IssuerKeys:
    """The same keys parsed once, however many applications share them. Raises ValueError."""
    return IssuerKeys(keys)


def _unverified_header(token: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN:
        raise TokenRefused("format", "too long")
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise TokenRefused("format", "not three non-empty parts")
    try:
        header, _, _ = [base64url.decode(part) for part in parts]
    except ValueError as error:
        raise TokenRefused("format", "not canonical base64url") from error
    fields = _json_object(header, "header")
    if not _HEADER_NAMES.issuperset(fields):
        # ``crit``, ``b64``, ``zip``, ``enc`` and whatever is yet to be invented (S-432).
        raise TokenRefused("header", "holds a parameter that we do not understand")
    if str(fields.get("cty", "")).upper() == "JWT":
        raise TokenRefused("header", "says that a token is nested inside")
    return fields


def _json_object(text: bytes, part: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TokenRefused(part, "not JSON") from error
    if not isinstance(value, dict):
        raise TokenRefused(part, "not a JSON object")
    return value
