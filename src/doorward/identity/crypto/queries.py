"""Find certificates and keys."""

from __future__ import annotations

from doorward.identity.crypto.models import CertificateKeyPair

SIGNING = "goauthentik.io/crypto/jwt-managed"
"""``managed`` of the key that signs tokens unless a provider names another."""
SELF_SIGNED = "authentik Self-signed Certificate"
"""Name of the RSA certificate that people's scripts look for."""


def signing_key() -> CertificateKeyPair:
    """The installation's own ES256 key. Raises CertificateKeyPair.DoesNotExist before the first start."""
    return CertificateKeyPair.objects.get(managed=SIGNING)
