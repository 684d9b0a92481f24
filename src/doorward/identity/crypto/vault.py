"""Encryption of secrets at rest, and the hash under which bearer secrets are kept (S-803).

One 32-byte installation key lies in ``secret.key`` beside the database (mode 0600, made on first start). Keys for
each purpose are derived from it with HKDF, so that no two uses share a key. A ciphertext is bound to its place by
the associated data: a value copied to another row or column does not decrypt.
"""

from __future__ import annotations

import base64
import hashlib
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """A stored secret does not decrypt: wrong ``secret.key``, or the value was moved or altered."""


@lru_cache(maxsize=16)
def derived_key(purpose: str) -> bytes:
    """32 bytes for ``purpose``, from the installation key."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(settings.INSTALLATION_KEY)


def seal(plaintext: str, place: str) -> str:
    """Encrypt with AES-256-GCM; ``place`` is ``table.column:row``."""
    return seal_bytes(plaintext.encode(), place)


def seal_bytes(plaintext: bytes, place: str) -> str:
    """``seal`` for bytes."""
    nonce = os.urandom(12)
    sealed = AESGCM(derived_key("at-rest")).encrypt(nonce, plaintext, place.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(sealed: str, place: str) -> str:
    """Undo ``seal``. Raises Unreadable."""
    return unseal_bytes(sealed, place).decode()


def unseal_bytes(sealed: str, place: str) -> bytes:
    """Undo ``seal_bytes``. Raises Unreadable."""
    try:
        raw = base64.b64decode(sealed, validate=True)
        return AESGCM(derived_key("at-rest")).decrypt(raw[:12], raw[12:], place.encode())
    except (InvalidTag, ValueError) as error:
        raise Unreadable(f"{place} does not decrypt with this secret.key") from error


def digest(secret: str) -> str:
    """Hex SHA-256, for secrets of at least 128 random bits (tokens, codes, session keys)."""
    return hashlib.sha256(secret.encode()).hexdigest()
