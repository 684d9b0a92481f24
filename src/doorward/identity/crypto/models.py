"""Certificates and private keys: what signs tokens."""

from __future__ import annotations

import uuid

from django.db import models

from doorward.identity.crypto import vault


class CertificateKeyPair(models.Model):
    """A certificate, with its private key where we have it. ``kid`` is the pair's uuid in hex: never reused."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.TextField(unique=True)
    certificate_pem = models.TextField()
    sealed_key = models.TextField(blank=True, default="")
    """PKCS#8 PEM, encrypted at rest; empty without a private key."""
    algorithm = models.CharField(max_length=16, default="ES256")
    """The one JWS algorithm that this key signs with: RS256, ES256, ES384, ES512 or EdDSA."""
    managed = models.TextField(null=True, blank=True, unique=True, default=None)
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def kid(self) -> str:
        return self.id.hex

    @property
    def private_key_pem(self) -> str:
        """Raises vault.Unreadable; empty when there is none."""
        return vault.unseal(self.sealed_key, self.place()) if self.sealed_key else ""

    @private_key_pem.setter
    def private_key_pem(self, pem: str) -> None:
        self.sealed_key = vault.seal(pem, self.place()) if pem else ""

    def place(self) -> str:
        """What the key is sealed to."""
        return f"crypto.key:{self.id}"
