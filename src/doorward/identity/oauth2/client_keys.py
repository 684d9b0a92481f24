"""The public keys of clients that prove who they are with a signature (``private_key_jwt``): pasted, or published.

A key has one algorithm: what it says, or what its kind is for (RFC 8725 section 3.1); symmetric keys are none.
Published keys are kept for ten minutes. A token that names another key makes us ask again, at most every thirty
seconds, so that nobody can have us ask for every request (S-447).
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from doorward.identity.egress import client as egress
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.tokens.issuer_keys import IssuerKeys, PublicKey

KEPT = 600.0
"""Seconds."""
AT_MOST_EVERY = 30.0
"""Seconds between two questions to one address."""
MOST = 20
_ALGORITHMS = {"RSA": "RS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class Unusable(ValueError):
    """No set of public keys; the text says what is wrong."""


def read(jwks: object) -> IssuerKeys:
    """The keys of a JSON Web Key Set (RFC 7517). Raises Unusable."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not keys or len(keys) > MOST:
        raise Unusable(f"A JSON Web Key Set is expected: an object with 1 to {MOST} keys.")
    found = tuple(
        _key(key, number) for number, key in enumerate(keys) if isinstance(key, dict) and key.get("use", "sig") == "sig"
    )
    if len({key.kid for key in found}) != len(found) or not found:
        raise Unusable("Every key needs a kid of its own, and one of them has to be for signatures.")
    try:
        return IssuerKeys(found)
    except ValueError as error:
        raise Unusable(str(error)) from error


def _key(key: dict[str, object], number: int) -> PublicKey:
    if _SECRET_MEMBERS & key.keys():
        raise Unusable("These are private keys. Only the public ones belong here; replace those, they have been seen.")
    alg = key.get("alg") or _ALGORITHMS.get(str(key.get("crv", key.get("kty"))), "")
    if not isinstance(alg, str) or not alg or alg[:2] not in ("RS", "PS", "ES", "Ed"):
        raise Unusable("A key is for no algorithm that we know.")
    kid = key.get("kid", f"#{number}")
    if not isinstance(kid, str):
        raise Unusable("A kid is a text.")
    return PublicKey(kid, alg, json.dumps(key))


def require_usable(provider: OAuth2Provider) -> None:
    """Raises ValidationError."""
    wanted = provider.client_authentication == OAuth2Provider.Authentication.PRIVATE_KEY_JWT
    if provider.client_jwks and provider.client_jwks_uri:
        raise ValidationError({"client_jwks_uri": ["Either the keys themselves or their address."]})
    if wanted and not provider.client_jwks and not provider.client_jwks_uri:
        raise ValidationError({"client_jwks": ["Without its public keys the client cannot prove anything."]})
    try:
        if provider.client_jwks:
            read(provider.client_jwks)
        if provider.client_jwks_uri:
            egress.check(provider.client_jwks_uri, private=provider.client_jwks_uri_trusted)
    except Unusable as error:
        raise ValidationError({"client_jwks": [str(error)]}) from error
    except egress.Refused as error:
        raise ValidationError({"client_jwks_uri": [str(error)]}) from error


@dataclass
class _Published:
    keys: IssuerKeys | None
    asked_at: float


class _Cache:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, _Published] = {}

    def keys(self, url: str, private: bool, *, newer: bool = False) -> IssuerKeys | None:
        """``newer``: what is kept was not enough. None where there is no answer."""
        now = time.monotonic()
        with self._lock:
            known = self._known.get(url)
            age = now - known.asked_at if known else float("inf")
            if known is not None and age < (AT_MOST_EVERY if newer or known.keys is None else KEPT):
                return known.keys
            # Whoever comes meanwhile is answered from what there is.
            self._known[url] = _Published(known.keys if known else None, now)
            while len(self._known) > 1000:
                del self._known[next(iter(self._known))]
        found = _asked(url, private)
        if found is not None:
            with self._lock:
                self._known[url] = _Published(found, now)
        return found or (known.keys if known else None)

    def forget(self) -> None:
        with self._lock:
            self._known.clear()


published = _Cache()


def keys_of(provider: OAuth2Provider, *, newer: bool = False) -> IssuerKeys | None:
    """None where there are none, or none can be had now."""
    if provider.client_jwks_uri:
        return published.keys(provider.client_jwks_uri, provider.client_jwks_uri_trusted, newer=newer)
    try:
        return read(provider.client_jwks) if provider.client_jwks else None
    except Unusable:
        return None


def _asked(url: str, private: bool) -> IssuerKeys | None:
    try:
        answer = egress.ask("GET", url, headers={"Accept": "application/json"}, private=private)
        return read(answer.json()) if answer.status == 200 else None
    except (egress.NotAsked, ValueError):
        return None
