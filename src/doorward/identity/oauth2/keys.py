"""The keys that a provider's tokens are checked with, published as JWKs: public members only (S-445).

A key has one algorithm (RFC 8725 section 3.1) and one ``kid``, the pair's uuid, which is never used again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.messages.outposts import VerificationKey


def published_pairs(provider: OAuth2Provider) -> list[CertificateKeyPair]:
    """The provider's own key, and before it those that are retiring (S-446)."""
    if provider.signing_key is None:
        return []
    retiring = provider.retiring_keys.filter(published_until__gt=timezone.now()).select_related("key")
    pairs = {pair.pk: pair for pair in (*(row.key for row in retiring), provider.signing_key)}
    return list(pairs.values())


def jwks(provider: OAuth2Provider) -> dict[str, Any]:
    """The JSON Web Key Set; an empty object where tokens are signed with the client secret."""
    published = [public_jwk(pair) for pair in published_pairs(provider)]
    return {"keys": published} if published else {}


def verification_keys(provider: OAuth2Provider) -> tuple[VerificationKey, ...]:
    """The same keys, as the data plane takes them."""
    return tuple(
        VerificationKey(kid=pair.kid, alg=pair.algorithm, jwk=msgspec.json.encode(public_jwk(pair)).decode())
        for pair in published_pairs(provider)
    )


def public_jwk(pair: CertificateKeyPair) -> dict[str, Any]:
    """The JWK of one pair, with its ``kid`` and the one algorithm it is for."""
    return {**_public_members(pair.certificate_pem), "use": "sig", "alg": pair.algorithm, "kid": pair.kid}


@lru_cache(maxsize=64)
def _public_members(certificate_pem: str) -> dict[str, Any]:
    from joserfc import jwk  # only token work needs the library: an idle identity process stays small

    public = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if isinstance(public, rsa.RSAPublicKey):
        return dict(jwk.RSAKey.import_key(pem).as_dict(private=False))
    if isinstance(public, ec.EllipticCurvePublicKey):
        return dict(jwk.ECKey.import_key(pem).as_dict(private=False))
    return dict(jwk.OKPKey.import_key(pem).as_dict(private=False))
