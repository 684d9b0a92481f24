"""Which factors somebody has, and which browsers are remembered."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from doorward.identity.authenticators.models import (
    Device,
    DeviceClass,
    EmailDevice,
    RememberedDevice,
    StaticDevice,
    StaticToken,
    TOTPDevice,
    WebAuthnDevice,
)
from doorward.identity.directory.models import User

ALL: tuple[DeviceClass, ...] = (DeviceClass.WEBAUTHN, DeviceClass.TOTP, DeviceClass.STATIC, DeviceClass.EMAIL)
"""The strongest first."""
KINDS: dict[DeviceClass, type[Device]] = {
    DeviceClass.WEBAUTHN: WebAuthnDevice,
    DeviceClass.TOTP: TOTPDevice,
    DeviceClass.STATIC: StaticDevice,
    DeviceClass.EMAIL: EmailDevice,
}


def devices(user: User) -> list[Device]:
    """All factors of ``user``, the strongest first."""
    return [device for kind in _had_by(user) for device in KINDS[kind]._default_manager.filter(user=user)]


def _had_by(user: User) -> list[DeviceClass]:
    """One question tells which kinds there are to read: most people have none, or one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM authenticators_webauthndevice WHERE user_id = %s), "
            "EXISTS (SELECT 1 FROM authenticators_totpdevice WHERE user_id = %s), "
            "EXISTS (SELECT 1 FROM authenticators_staticdevice WHERE user_id = %s), "
            "EXISTS (SELECT 1 FROM authenticators_emaildevice WHERE user_id = %s)",
            [user.pk] * len(ALL),
        )
        return [kind for kind, has in zip(ALL, cursor.fetchone(), strict=True) if has]


def usable(user: User, classes: Collection[str] = ALL) -> list[Device]:
    """The factors of these classes that can still be shown: a set of recovery codes that is used up cannot."""
    return [
        device
        for device in devices(user)
        if device.CLASS in classes and not (isinstance(device, StaticDevice) and not device.tokens.exists())
    ]


def has_usable(user: User) -> bool:
    """Whether ``user`` has any second factor."""
    return (
        WebAuthnDevice.objects.filter(user=user).exists()
        or TOTPDevice.objects.filter(user=user).exists()
        or EmailDevice.objects.filter(user=user).exists()
        or StaticDevice.objects.filter(Exists(StaticToken.objects.filter(device=OuterRef("pk"))), user=user).exists()
    )


def device_by_uuid(user: User, uuid: UUID) -> Device | None:
    """One of the user's own factors; another's is not there (S-602)."""
    return next((device for device in devices(user) if device.uuid == uuid), None)


def codes_left(user: User) -> int:
    """How many recovery codes are unused."""
    return StaticToken.objects.filter(device__user=user).count()


def remembered(user: User) -> QuerySet[RememberedDevice]:
    """The browsers that are not asked for a second factor; whatever is over is not among them (S-811)."""
    return RememberedDevice.objects.filter(user=user, expires__gt=timezone.now())
