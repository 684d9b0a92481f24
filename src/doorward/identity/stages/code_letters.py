"""Codes by letter on behalf of a stage: how the letter looks, and what is said when it cannot be sent."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from django.utils.translation import gettext_noop
from msgspec import Struct

from doorward.identity.authenticators import mailed_codes
from doorward.identity.authenticators.models import DeviceClass, EmailDevice
from doorward.identity.directory.errors import TooManyAttempts
from doorward.identity.directory.models import User
from doorward.identity.durations import parse
from doorward.identity.mail import outbox
from doorward.identity.stages import credentials
from doorward.identity.stages.models import AuthenticatorEmailStage
from doorward.identity.stages.view import Visit

NO_MAIL = gettext_noop("Letters cannot be sent here at the moment. Use another factor, or ask an administrator.")
ENOUGH = gettext_noop("Enough letters were sent. Look into the spam folder, or try again in a few minutes.")


class _Chosen(Struct):
    device_class: str = ""
    device_uid: str = ""


def chosen(selected: str) -> str:
    """``device_uid`` of an API client's ``selected_challenge`` if that is a mailbox; empty for anything else."""
    try:
        challenge = msgspec.json.decode(selected, type=_Chosen) if selected else _Chosen()
    except msgspec.DecodeError:
        return ""
    return challenge.device_uid if challenge.device_class == DeviceClass.EMAIL else ""


def to_factor(visit: Visit, device: EmailDevice) -> str:
    """Send a code for this login; answers what stood in the way, empty if nothing did."""
    stage = AuthenticatorEmailStage.objects.order_by("name").first() or AuthenticatorEmailStage()
    ip = visit.actor.client_ip
    return _sending(
        lambda: mailed_codes.send_for(
            device, visit.plan.id, client_ip=ip, subject=stage.subject, lifetime=parse(stage.token_expiry)
        )
    )


def to_address(visit: Visit, stage: AuthenticatorEmailStage, user: User, email: str, place: str) -> str:
    """The same while a factor is set up."""
    ip, lifetime = visit.actor.client_ip, parse(stage.token_expiry)
    return _sending(
        lambda: mailed_codes.send(user, email, place, client_ip=ip, subject=stage.subject, lifetime=lifetime)
    )


def _sending(send: Callable[[], bool]) -> str:
    if not outbox.is_configured():
        return NO_MAIL
    try:
        return "" if send() else ENOUGH
    except TooManyAttempts as limit:
        return credentials.too_many(limit).message
