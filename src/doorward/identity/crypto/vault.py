"""Encryption of secrets at rest, and the hash under which bearer secrets are kept (S-803).

One 32-byte installation key lies in ``secret.key`` beside the database (mode 0600, made on first start). Keys for
each purpose are derived from it with HKDF, so that no two uses share a key. A ciphertext is bound to its place by
the associated data: a value copied to another row or column does not decrypt. While the installation key is being
exchanged (``rotation``) what the former one sealed can still be read; nothing is sealed with it any more (S-804).
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

_AT_REST = "at-rest"


class Unreadable(Exception):
    """A stored secret does not decrypt: wrong ``secret.key``, or the value was moved or altered."""


def derived_key(purpose: str) -> bytes:
    """32 bytes for ``purpose``, from the installation key."""
    return derived_keys(purpose)[0]


def derived_keys(purpose: str) -> tuple[bytes, ...]:
    """The same, and those from the keys before, which only count for what is there already."""
    return tuple(derive(key, purpose) for key in settings.INSTALLATION_KEYS.all)


@lru_cache(maxsize=64)
def derive(key: bytes, purpose: str) -> bytes:
    """32 bytes for ``purpose``, from ``key``."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(key)


def seal(plaintext: str, place: str) -> str:
    """Encrypt with AES-256-GCM; ``place`` is ``table.column:row``."""
    return seal_bytes(plaintext.encode(), place)


def seal_bytes(plaintext: bytes, place: str) -> str:
    """``seal`` for bytes."""
    nonce = os.urandom(12)
    sealed = AESGCM(derived_key(_AT_REST)).encrypt(nonce, plaintext, place.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(sealed: str, place: str) -> str:
    """Undo ``seal``. Raises Unreadable."""
    return unseal_bytes(sealed, place).decode()


def unseal_bytes(sealed: str, place: str) -> bytes:
    """Undo ``seal_bytes``. Raises Unreadable."""
    return _opened(sealed, place)[0]


def resealed(sealed: str, place: str) -> str | None:
    """The same secret, sealed with the key of now; None if it is already. Raises Unreadable."""
    plaintext, by_a_former_key = _opened(sealed, place)
    return seal_bytes(plaintext, place) if by_a_former_key else None


def _opened(sealed: str, place: str) -> tuple[bytes, bool]:
    """What is in it, and whether a former key sealed it."""
    try:
        raw = base64.b64decode(sealed, validate=True)
    except ValueError as error:
        raise Unreadable(f"{place} does not decrypt with this secret.key") from error
    for number, key in enumerate(derived_keys(_AT_REST)):
        try:
            return AESGCM(key).decrypt(raw[:12], raw[12:], place.encode()), number > 0
        except (InvalidTag, ValueError):
            continue
    raise Unreadable(f"{place} does not decrypt with this secret.key")


def digest(secret: str) -> str:
    """Hex SHA-256, for secrets of at least 128 random bits (tokens, codes, session keys)."""
    return hashlib.sha256(secret.encode()).hexdigest()
