"""WebAuthn challenges that need no memory until they are answered (S-515, S-917).

A challenge is 16 random bytes, the time, and a MAC over both and over what it is bound to: its purpose, the plan (so
the session) in which it was made, and the user if one is known. So it is ours, at most five minutes old, and for this
very page, although nothing was stored when the page was shown. Answering it stores its digest: a primary key lets one
of two answers through (S-805).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from doorward.identity.authenticators.models import SpentChallenge
from doorward.identity.crypto import vault

VALID = 300
"""Seconds."""
_PURPOSE = "webauthn-challenge"
_NONCE = 16
_TIME = 8
_MAC = 32


def issue(bound_to: str) -> str:
    """A fresh challenge, base64url."""
    head = secrets.token_bytes(_NONCE) + int(time.time()).to_bytes(_TIME, "big")
    return encode(head + _mac(head, bound_to))


def is_ours(challenge: bytes, bound_to: str) -> bool:
    """Whether ``challenge`` was issued for ``bound_to`` within the last five minutes."""
    if len(challenge) != _NONCE + _TIME + _MAC:
        return False
    head, mac = challenge[:-_MAC], challenge[-_MAC:]
    age = time.time() - int.from_bytes(head[_NONCE:], "big")
    made = [hmac.digest(key, head + bound_to.encode(), "sha256") for key in vault.derived_keys(_PURPOSE)]
    return any(hmac.compare_digest(mac, each) for each in made) and -1 <= age <= VALID


def spend(challenge: bytes) -> bool:
    """Use the challenge up; False if somebody did already."""
    made = int.from_bytes(challenge[_NONCE : _NONCE + _TIME], "big")
    return spend_once(challenge, datetime.fromtimestamp(made + VALID + 60, UTC))


def spend_once(secret: bytes, forgotten: datetime | None = None) -> bool:
    """The same for anything that counts once; it is known until ``forgotten``, by default for an hour."""
    now = timezone.now()
    SpentChallenge.objects.filter(expires__lte=now).delete()
    try:
        with transaction.atomic():
            SpentChallenge.objects.create(
                digest=hashlib.sha256(secret).hexdigest(), expires=forgotten or now + timedelta(hours=1)
            )
    except IntegrityError:
        return False
    return True


def _mac(head: bytes, bound_to: str) -> bytes:
    return hmac.digest(vault.derived_key(_PURPOSE), head + bound_to.encode(), "sha256")


def encode(raw: bytes) -> str:
    """base64url without padding, as WebAuthn writes bytes in JSON."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Undo ``encode``. Raises ValueError."""
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
