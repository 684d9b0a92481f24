"""Codes on paper for the day when everything else is lost (S-514).

Twelve characters of 31 hold 59 bits: enough against guessing at our door, not against somebody who has the database
and time. So they are kept as HMAC-SHA-256 under a key that is not in the database, bound to their set.
"""

from __future__ import annotations

import hmac
import secrets

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from doorward.identity.authenticators.models import StaticDevice, StaticToken
from doorward.identity.crypto import vault
from doorward.identity.mail.notices import tell

PURPOSE = "recovery-codes"
COUNT = 10
LENGTH = 12
SHORTEST = 9
"""Characters that hold at least 40 bits."""
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what looks alike on paper."""
_GROUP = 4


def generate(count: int = COUNT, length: int = LENGTH) -> tuple[str, ...]:
    """Fresh codes, in groups of four: ``7kpd-m3xw-ya9c``."""
    return tuple(_grouped("".join(secrets.choice(_ALPHABET) for _ in range(length))) for _ in range(count))


def _grouped(code: str) -> str:
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def digest(device: StaticDevice, code: str) -> str:
    """The form in which a code of this set is kept. Spaces, dashes and capitals do not matter."""
    return _digests(device, code)[0]


def _digests(device: StaticDevice, code: str) -> list[str]:
    """The same, and how it was kept before the secret key was exchanged: nobody but its owner could key it anew."""
    plain = "".join(character for character in code.lower() if character not in "- \t")
    text = f"{device.uuid}:{plain}".encode()
    keys = (vault.derived_key(PURPOSE), *(kept.key for kept in settings.INSTALLATION_KEYS.kept_for(PURPOSE)))
    return [hmac.new(key, text, "sha256").hexdigest() for key in keys]


def use(device: StaticDevice, code: str) -> bool:
    """Whether ``code`` is one of the set's; the one statement that finds it deletes it, and its owner is told."""
    if not 1 <= len(code) <= 128:
        return False
    deleted, _ = StaticToken.objects.filter(device=device, code_hash__in=_digests(device, code)).delete()
    if deleted:
        StaticDevice.objects.filter(pk=device.pk).update(last_used=timezone.now())
        left = StaticToken.objects.filter(device=device).count()
        tell(
            device.user,
            gettext_noop("A recovery code was used to log in to your account. Codes that are left: %(left)s."),
            left=left,
        )
    return deleted == 1
