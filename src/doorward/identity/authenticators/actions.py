"""The writes about factors: one transaction, one event, one letter to their owner.

A new factor takes nothing away. When one goes, whatever was opened while it counted ends: all other logins, proxy
sessions and remembered browsers (S-520).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.authenticators import recovery_codes, totp
from doorward.identity.authenticators.models import (
    LONGEST_NAME,
    Device,
    EmailDevice,
    RememberedDevice,
    StaticDevice,
    StaticToken,
    TOTPDevice,
    WebAuthnDevice,
)
from doorward.identity.authenticators.registration import Registered
from doorward.identity.crypto import vault
from doorward.identity.directory import names
from doorward.identity.directory.models import User
from doorward.identity.directory.notices import trust_ended, user_written
from doorward.identity.directory.users import lock
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.mail.notices import tell

MOST = 20
"""Factors of one kind that one user may have."""


def add_totp(actor: Actor, user: User, *, name: str, seed: str, digits: int, used_step: int) -> TOTPDevice:
    """Keep a seed whose code was just proved; that code, of ``used_step``, is used up. Raises ValidationError."""
    device = TOTPDevice(user=user, name=_named(name), digits=digits, last_step=used_step)
    device.sealed_seed = vault.seal(seed, totp.place(device))
    with transaction.atomic():
        user_written.send(User, actor=actor, user=user)
        _require_room(user, TOTPDevice)
        device.save(force_insert=True)
        events.created(actor, device)
        tell(user, gettext_noop("An authenticator app was added to your account."))
    return device


def add_webauthn(actor: Actor, user: User, *, name: str, registered: Registered) -> WebAuthnDevice:
    """Keep a credential that was just made. Raises ValidationError when anybody has it already (S-516)."""
    device = WebAuthnDevice(
        user=user,
        name=_named(name),
        credential_id=registered.credential_id,
        public_key=registered.public_key,
        sign_count=registered.sign_count,
        aaguid=registered.aaguid,
        transports=list(registered.transports),
        backed_up=registered.backed_up,
    )
    with transaction.atomic():
        user_written.send(User, actor=actor, user=user)
        _require_room(user, WebAuthnDevice)
        device.full_clean(exclude=["transports", "last_used"])
        device.save(force_insert=True)
        events.created(actor, device)
        tell(user, gettext_noop("A passkey or security key was added to your account."))
    return device


def add_email(actor: Actor, user: User, *, name: str, email: str) -> EmailDevice:
    """Keep an address at which a code has just arrived. Raises ValidationError when codes go there already."""
    with transaction.atomic():
        user_written.send(User, actor=actor, user=user)
        _require_room(user, EmailDevice)
        if EmailDevice.objects.filter(user=user, email=email).exists():
            raise ValidationError({"code": [_("Codes can be sent to this address already.")]})
        device = EmailDevice(user=user, name=_named(name), email=email)
        device.full_clean(exclude=["last_used"])
        device.save(force_insert=True)
        events.created(actor, device)
        tell(
            user,
            gettext_noop("From now on, codes for logging in to your account can be sent to %(email)s."),
            email=email,
        )
    return device


def set_recovery_codes(actor: Actor, user: User, codes: Sequence[str], *, name: str) -> StaticDevice:
    """Give ``user`` these codes; the ones they had work no more. Raises ValidationError."""
    if not codes or any(len(code.replace("-", "")) < recovery_codes.SHORTEST for code in codes):
        raise ValidationError({"codes": [_("Recovery codes have at least 40 bits each.")]})
    with transaction.atomic():
        user_written.send(User, actor=actor, user=user)
        lock(user)
        for former in StaticDevice.objects.filter(user=user):
            events.deleted(actor, former)
            former.delete()
        device = StaticDevice.objects.create(user=user, name=_named(name))
        tokens = [StaticToken(device=device, code_hash=recovery_codes.digest(device, code)) for code in codes]
        StaticToken.objects.bulk_create(tokens)
        events.created(actor, device)
        tell(user, gettext_noop("New recovery codes were made for your account. The former ones work no more."))
    return device


def rename(actor: Actor, device: Device, name: str) -> None:
    """Raises ValidationError."""
    with transaction.atomic():
        user_written.send(User, actor=actor, user=device.user)
        before = events.snapshot(device)
        device.name = _named(name)
        device.save(update_fields=["name", "last_updated"])
        events.updated(actor, device, before)


def remove(actor: Actor, device: Device, *, keep_sid: str = "") -> None:
    """Take a factor away and end all other logins of its user (S-520); the login ``keep_sid`` may stay."""
    with transaction.atomic():
        lock(device.user)
        user_written.send(User, actor=actor, user=device.user)
        events.deleted(actor, device)
        device.delete()
        tell(device.user, gettext_noop("A second factor, “%(name)s”, was removed from your account."), name=device.name)
        trust_ended.send(User, user=device.user, except_sid=keep_sid)


def forget(actor: Actor, remembered: RememberedDevice) -> None:
    """Ask this browser for a second factor again."""
    with transaction.atomic():
        user_written.send(User, actor=actor, user=remembered.user)
        events.deleted(actor, remembered)
        remembered.delete()


def forget_all(actor: Actor, user: User) -> int:
    """Ask every browser of ``user`` again; says how many there were."""
    with transaction.atomic():
        rows = list(user.remembered_devices.all())
        for row in rows:
            forget(actor, row)
    return len(rows)


def _named(name: str) -> str:
    named = name.strip()
    if not named:
        raise ValidationError({"name": [_("Give it a name by which you will recognise it.")]})
    names.require_plain(named, "name", LONGEST_NAME)
    return named


def _require_room(user: User, kind: type[Device]) -> None:
    lock(user)
    if kind._default_manager.filter(user=user).count() >= MOST:
        raise ValidationError({"name": [_("You have %(number)s of these; remove one first.") % {"number": MOST}]})
