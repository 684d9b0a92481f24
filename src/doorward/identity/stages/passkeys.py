"""Checks a passkey on behalf of a stage: nobody may be known yet, and then the passkey says who it is.

A passkey by itself is a whole login (something one has, unlocked by something one is or knows), so the authenticator
must have verified its user (S-515). As a second factor after a password it depends on the stage's setting.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from msgspec import structs

from doorward.identity.authenticators import ceremonies, options, relying_party
from doorward.identity.authenticators.ceremonies import NotVerified
from doorward.identity.authenticators.models import Device, DeviceClass, WebAuthnDevice
from doorward.identity.authenticators.options import RequestOptions
from doorward.identity.authenticators.standing import SECOND_FACTOR
from doorward.identity.directory import passwords
from doorward.identity.directory.errors import TooManyAttempts
from doorward.identity.directory.models import User
from doorward.identity.flows.plan import Pending, Plan
from doorward.identity.stages import credentials
from doorward.identity.stages.models import AuthenticatorValidateStage, Preference, Stage
from doorward.identity.stages.view import Malformed, Visit

ALONE = ("user", SECOND_FACTOR)
"""``amr`` of a login by passkey: a user was present, and two factors in one."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A key of an active user, that answered this very page."""

    user: User
    device: Device


def offered(visit: Visit, stage: AuthenticatorValidateStage) -> RequestOptions | None:
    """What to ask a browser for that may have a passkey of anybody's."""
    if DeviceClass.WEBAUTHN not in stage.device_classes or not relying_party.is_possible():
        return None
    bound_to = _bound_to(visit, None)
    return options.to_get(bound_to, (), user_verification=Preference.REQUIRED, hints=stage.webauthn_hints)


def asked_of(visit: Visit, stage: AuthenticatorValidateStage, user: User) -> RequestOptions:
    """What to ask the browser of ``user`` for, who has proved something else already."""
    devices = WebAuthnDevice.objects.filter(user=user)
    verification = stage.webauthn_user_verification
    bound_to = _bound_to(visit, user)
    return options.to_get(bound_to, devices, user_verification=verification, hints=stage.webauthn_hints)


def of_anybody(visit: Visit, stage: Stage, answer: str) -> Shown | Malformed | None:
    """Whose passkey it is; its user was verified by the authenticator.

    An address that fails too often is turned away (S-506). The passkey itself is never: it cannot be guessed, and its
    owner must not be locked out by somebody else's attempts (S-509).
    """
    try:
        reserved = passwords.throttle.reserve(
            f"passkey:{hashlib.sha256(answer.encode()).hexdigest()}", visit.actor.client_ip
        )
    except TooManyAttempts as limit:
        return credentials.too_many(limit)
    shown = check(visit, stage, answer, None, must_verify=True)
    if shown is not None:
        reserved.succeeded()
    return shown


def check(visit: Visit, stage: Stage, answer: str, user: User | None, *, must_verify: bool) -> Shown | None:
    """Whose key it is, if it is one, theirs, and of whom the plan names. Writes the event of what did not work."""
    pending = visit.plan.pending
    try:
        shown = ceremonies.asserted(answer, _bound_to(visit, user), user=user, require_user_verification=must_verify)
        if not shown.device.user.is_active:
            raise NotVerified("the user is deactivated")
        if pending is not None and pending.user != shown.device.user_id:
            raise NotVerified("somebody else was named before")
    except NotVerified as why:
        named = user.username if user else pending.identifier if pending else ""
        device_class = DeviceClass.WEBAUTHN.value
        credentials.failed(visit, stage, user, named, device_class=device_class, reason=str(why))
        return None
    return Shown(shown.device.user, shown.device)


def logged_in_by(plan: Plan, user: User) -> Plan:
    """``plan`` after a passkey alone has said and proved who it is."""
    pending = plan.pending or Pending(user.username, user.pk)
    pending = pending if pending.user == user.pk else Pending(user.username, user.pk)
    return structs.replace(plan, pending=pending, proven=user.pk, methods=ALONE)


def _bound_to(visit: Visit, user: User | None) -> str:
    return f"get:{visit.plan.id}:{user.pk if user else 'anybody'}"
