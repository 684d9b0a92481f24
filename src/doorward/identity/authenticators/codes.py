"""A typed code, checked against everything it could be: an app's, one from paper, one from a letter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from doorward.identity.authenticators import mailed_codes, queries, recovery_codes, totp
from doorward.identity.authenticators.models import Device, EmailDevice, StaticDevice, TOTPDevice
from doorward.identity.authenticators.throttle import Reserved, throttle
from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor

LONGEST = 128


@dataclass(frozen=True, slots=True)
class Used:
    """The code was right, of this factor, and works no more."""

    device: Device


@dataclass(frozen=True, slots=True)
class Wrong:
    pass


@dataclass(frozen=True, slots=True)
class Suspended:
    """Too many wrong codes within the hour: this one was not looked at."""


def use(actor: Actor, user: User, code: str, classes: Collection[str], *, login: str = "") -> Used | Wrong | Suspended:
    """Use ``code`` up as one of ``user``'s factors of these classes. Writes the event of what did not work.

    ``login`` names the login in which a letter was asked for: its code is worth nothing in any other.
    """
    match throttle.reserve(user.pk):
        case Reserved.SUSPENDED:
            return Suspended()
        case Reserved.JUST_SUSPENDED:
            events.record(
                "suspicious_request",
                "authentik.stages.authenticator_validate",
                actor,
                message="Too many wrong second factor codes; codes are suspended for up to an hour.",
                username=user.username,
            )
            return Suspended()
    device = _used(queries.usable(user, classes), code, login) if 0 < len(code) <= LONGEST else None
    if device is None:
        return Wrong()
    throttle.succeeded(user.pk)
    return Used(device)


def _used(devices: Sequence[Device], code: str, login: str) -> Device | None:
    for device in devices:
        if isinstance(device, TOTPDevice) and totp.use(device, code):
            return device
        if isinstance(device, StaticDevice) and recovery_codes.use(device, code):
            return device
        if isinstance(device, EmailDevice) and login and mailed_codes.use_for(device, login, code):
            return device
    return None
