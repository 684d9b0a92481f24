"""Private keys are sealed."""

from __future__ import annotations

from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.crypto.sealed_columns import SealedColumn

SEALED = (SealedColumn(CertificateKeyPair, "sealed_key", CertificateKeyPair.place),)
