"""Codes that travel by letter: eight digits, good for ten minutes, five tries and one use (security.md section 3).

A code belongs to one factor in one login: whoever begins another login cannot use it, nor make it worthless. A try is
counted before the code is looked at, by a conditional UPDATE, and the DELETE that finds the right code uses it up: of
twenty requests at once one succeeds, and no more than five are looked at. The hash is keyed, because eight digits are
nothing to whoever has the database.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from doorward.identity.authenticators.models import EmailDevice, MailedCode
from doorward.identity.crypto import vault
from doorward.identity.directory.models import User
from doorward.identity.languages.choice import for_answer_to
from doorward.identity.mail import outbox
from doorward.identity.mail.pace import throttle

DIGITS = 8
TRIES = 5
LONGEST = timedelta(minutes=30)
"""Whatever a stage says."""


def send(user: User, email: str, place: str, *, client_ip: str | None, subject: str, lifetime: timedelta) -> bool:
    """Send a new code for ``place`` to ``email``; False if too many letters were sent already.

    Raises TooManyAttempts for the client's address.
    """
    if not throttle.reserve(_account(user), client_ip).allowed:
        return False
    code = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
    expires = timezone.now() + min(lifetime, LONGEST)
    with transaction.atomic():
        MailedCode.objects.filter(expires__lte=timezone.now()).delete()
        fresh = {"user": user, "code_hash": digest(place, code), "tries": 0, "expires": expires}
        MailedCode.objects.update_or_create(place=vault.digest(place), defaults=fresh)
        minutes = max(1, int(min(lifetime, LONGEST).total_seconds() // 60))
        about = {"user": user, "code": _spaced(code), "minutes": minutes}
        with translation.override(for_answer_to(user)):
            outbox.post(email, _(subject), "email_otp", about, useless_after=expires)
    return True


def send_for(device: EmailDevice, login: str, *, client_ip: str | None, subject: str, lifetime: timedelta) -> bool:
    """The same for a factor that is asked for in the login that ``login`` names."""
    place = login_place(device, login)
    return send(device.user, device.email, place, client_ip=client_ip, subject=subject, lifetime=lifetime)


def use(user: User, place: str, code: str) -> bool:
    """Whether ``code`` is the one that was sent for ``place``; uses it up. A wrong one counts as a try."""
    waiting = _waiting(place)
    if not waiting.update(tries=F("tries") + 1):
        return False
    typed = "".join(code.split())
    right = MailedCode.objects.filter(place=vault.digest(place), user=user, code_hash__in=_digests(place, typed))
    used, _ = right.delete()
    if used:
        throttle.reserve(_account(user), None).succeeded()  # whoever proves their mailbox may ask for letters again
    return used == 1


def use_for(device: EmailDevice, login: str, code: str) -> bool:
    """The same for a factor, which remembers when it was used."""
    if not use(device.user, login_place(device, login), code):
        return False
    EmailDevice.objects.filter(pk=device.pk).update(last_used=timezone.now())
    return True


def is_waiting(place: str) -> bool:
    """Whether a code that was sent for ``place`` can still be typed."""
    return _waiting(place).exists()


def masked(email: str) -> str:
    """``b•••@example.test``: enough for its owner to know which it is."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••@{domain}"


def _waiting(place: str) -> QuerySet[MailedCode]:
    return MailedCode.objects.filter(place=vault.digest(place), tries__lt=TRIES, expires__gt=timezone.now())


def login_place(device: EmailDevice, login: str) -> str:
    """What a code for this factor in this login is for."""
    return f"login:{login}:{device.uuid}"


def _account(user: User) -> str:
    return f"code:{user.pk}"


def digest(place: str, code: str) -> str:
    """The form in which a code is kept: HMAC-SHA-256 under a key that is not in the database."""
    return _digests(place, code)[0]


def _digests(place: str, code: str) -> list[str]:
    """The same, and how it was kept before the secret key was exchanged."""
    text = f"{place}\n{code}".encode()
    return [hmac.new(key, text, "sha256").hexdigest() for key in vault.derived_keys("mailed-codes")]


def _spaced(code: str) -> str:
    """As people read it out: ``1234 5678``."""
    return f"{code[:4]} {code[4:]}"
