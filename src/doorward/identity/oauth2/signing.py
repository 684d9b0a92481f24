"""Putting a signature under claims: with the provider's key, or with its client secret where it has none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import msgspec
from django.utils import timezone

from doorward.identity.crypto import vault
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.tokens import shared_secret

LARGEST = 128_000
"""Bytes of claims: members of many groups are told much."""
_KINDS: dict[str, Literal["RSA", "EC", "OKP"]] = {"RS": "RSA", "ES": "EC", "Ed": "OKP"}


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one provider."""

    alg: str
    kid: str
    """Empty for HS256."""
    _secret: Any

    def sign(self, claims: dict[str, Any], typ: str = "JWT") -> str:
        """Compact JWS; ``typ`` tells kinds of tokens apart."""
        if self.alg == "HS256":
            return shared_secret.write(msgspec.json.encode(claims), self._secret, typ)
        from joserfc import jws

        from doorward.tokens.issuer_keys import Registry

        header = {"alg": self.alg, "kid": self.kid, "typ": typ}
        registry = Registry(algorithms=[self.alg], strict_check_header=False)
        registry.max_payload_length = LARGEST
        return jws.serialize_compact(header, msgspec.json.encode(claims), self._secret, registry=registry)


def signer_of(provider: OAuth2Provider) -> Signer:
    """Raises vault.Unreadable."""
    if provider.signing_key is None:
        return Signer("HS256", "", provider.client_secret.encode())
    pair = _signing_pair(provider, provider.signing_key)
    return Signer(pair.algorithm, pair.kid, _private_key(pair.sealed_key, pair.place(), pair.algorithm))


def _signing_pair(provider: OAuth2Provider, own: CertificateKeyPair) -> CertificateKeyPair:
    """A new key signs once it has been published for a moment (S-446)."""
    retiring = provider.retiring_keys.filter(signs_until__gt=timezone.now()).select_related("key").first()
    return own if retiring is None else retiring.key


@lru_cache(maxsize=64)
def _private_key(sealed: str, place: str, algorithm: str) -> Any:
    """Parsed once: unsealing and parsing cost more than signing does."""
    from joserfc import jwk

    return jwk.import_key(vault.unseal(sealed, place), _KINDS[algorithm[:2]])
