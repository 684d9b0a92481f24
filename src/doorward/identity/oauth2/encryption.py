"""Tokens that only the application itself can read: a signed one inside an encrypted one (RFC 7516, RFC 7519 5.2).

One way of doing it, RSA-OAEP-256 with A256CBC-HS512, with the public key of the certificate that the provider names.
Where its private key is here as well (it was made here, and given away), a token that comes back as a hint is opened.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from doorward.identity.crypto import vault
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.tokens.issuer_keys import MAX_TOKEN

ALG, ENC = "RSA-OAEP-256", "A256CBC-HS512"
PARTS = 5
"""Of an encrypted token; a signed one has three."""


def can_encrypt(pair: CertificateKeyPair) -> bool:
    """Whether tokens can be encrypted for whoever has the key of this certificate."""
    return isinstance(x509.load_pem_x509_certificate(pair.certificate_pem.encode()).public_key(), rsa.RSAPublicKey)


def encrypted(provider: OAuth2Provider, signed: str) -> str:
    """``signed`` for nobody else's eyes; as it is where the provider has no such key."""
    pair = provider.encryption_key
    if pair is None:
        return signed
    from joserfc import jwe

    header = {"alg": ALG, "enc": ENC, "cty": "JWT", "typ": "JWT", "kid": pair.kid}
    return jwe.encrypt_compact(header, signed.encode(), _public(pair.certificate_pem), algorithms=[ALG, ENC])


def opened(provider: OAuth2Provider, token: str) -> str:
    """What is inside an encrypted token, if we can know; any other text as it is."""
    pair = provider.encryption_key
    if pair is None or not pair.sealed_key or len(token) > MAX_TOKEN or token.count(".") != PARTS - 1:
        return token
    from joserfc import jwe
    from joserfc.errors import JoseError

    # Only these two names are in the list: neither PBES2 nor anything else is ever begun (S-434).
    registry = jwe.JWERegistry(algorithms=[ALG, ENC], strict_check_header=False)
    try:
        key = _private(pair.sealed_key, pair.place())
        found = jwe.decrypt_compact(token, key, registry=registry)
    except (JoseError, ValueError, TypeError):
        return ""
    if "zip" in found.headers():
        return ""
    return (found.plaintext or b"").decode("ascii", "replace")


@lru_cache(maxsize=32)
def _public(certificate_pem: str) -> Any:
    from joserfc import jwk

    public = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    return jwk.RSAKey.import_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


@lru_cache(maxsize=32)
def _private(sealed: str, place: str) -> Any:
    from joserfc import jwk

    return jwk.RSAKey.import_key(vault.unseal(sealed, place))
