"""Devices that wait to be let in (RFC 8628): made by a client, found by the code that somebody types, decided once.

The user code has 20 letters without vowels and look-alikes in eight places: 34.5 bits (RFC 8628 section 6.1). Wrong
ones are counted per address, per user and altogether (S-423).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from doorward.identity.brands.queries import current_brand
from doorward.identity.crypto import vault
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.logins.models import LoginSession
from doorward.identity.oauth2.clients import Client
from doorward.identity.oauth2.models import DEVICE_CODE, DeviceCode
from doorward.identity.oauth2.pace import Pace, neighbourhood

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
LIFE = timedelta(minutes=10)
INTERVAL = 5
"""Seconds between two questions of a device."""
KEPT = timedelta(days=1)
"""After its end, so that a device that comes late hears that it is late."""
wrong_codes = Pace(20, altogether=1000)
"""Per hour; ``security.md`` section 3."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the client is told."""

    device_code: str
    user_code: str


def offered(client: Client) -> bool:
    """Whether devices of this client may ask: it is named in its grants, and there is a page to type codes on."""
    return DEVICE_CODE in client.provider.grant_types and current_brand().flow_device_code_id is not None


def page() -> str:
    """Where people type the code."""
    return f"{settings.EXTERNAL_URL}/device"


def create(client: Client, scopes: tuple[str, ...], address: str | None) -> Waiting:
    """A new device waits."""
    device_code = secrets.token_urlsafe(48)
    DeviceCode.objects.filter(expires__lt=timezone.now() - KEPT).delete()
    for _ in range(10):
        user_code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        try:
            with transaction.atomic():
                DeviceCode.objects.create(
                    device_hash=vault.digest(device_code),
                    user_code=user_code,
                    provider=client.provider,
                    scope=" ".join(scopes),
                    asked_from=address,
                    expires=timezone.now() + LIFE,
                    interval=INTERVAL,
                )
        except IntegrityError:
            continue
        return Waiting(device_code, spelled(user_code))
    raise RuntimeError("ten user codes in a row were taken")


def spelled(user_code: str) -> str:
    """``BCDF-GHJK``: how people read it."""
    return f"{user_code[:4]}-{user_code[4:]}"


def typed(text: str) -> str:
    """What somebody typed, as it is stored; empty if it can be no code."""
    letters = "".join(letter for letter in text.upper() if letter not in "- \t")
    return letters if len(letters) == LENGTH and set(letters) <= set(ALPHABET) else ""


def find(text: str, actor: Actor) -> DeviceCode | None:
    """The device that waits under this code. Raises TooManyCodes."""
    keys = [key for key in (neighbourhood(actor.client_ip), f"user {actor.user.pk}" if actor.user else "") if key]
    taken = [key for key in keys if wrong_codes.take(key)]
    row = None
    if len(taken) == len(keys):
        row = _waiting(typed(text))
    if row is not None or len(taken) < len(keys):
        for key in taken:
            wrong_codes.give_back(key)
    if len(taken) < len(keys):
        raise TooManyCodes
    return row


class TooManyCodes(Exception):
    """So many codes were wrong that no more are looked at for a while."""


def _waiting(user_code: str) -> DeviceCode | None:
    if not user_code:
        return None
    return (
        DeviceCode.objects.select_related("provider__application", "provider__authorization_flow")
        .filter(user_code=user_code, decided_at=None, expires__gt=timezone.now(), provider__application__isnull=False)
        .first()
    )


def allow(actor: Actor, row: DeviceCode, login: LoginSession) -> bool:
    """The person of ``login`` lets the device in. False if it was decided meanwhile."""
    now = timezone.now()
    with transaction.atomic():
        decided = DeviceCode.objects.filter(pk=row.pk, decided_at=None, expires__gt=now).update(
            decided_at=now,
            allowed=True,
            user=login.user,
            login_session=login,
            sid=login.sid,
            auth_time=login.authenticated_at or now,
            amr=list(login.methods),
        )
        if decided:
            events.record(
                "authorize_application",
                "authentik.providers.oauth2",
                actor,
                authorized_application=row.provider.application,
                flow=str(row.provider.authorization_flow_id),
                scopes=row.scope,
                device_at=row.asked_from,
            )
    return bool(decided)


def refuse(row: DeviceCode) -> None:
    """The device is told ``access_denied``."""
    DeviceCode.objects.filter(pk=row.pk, decided_at=None).update(decided_at=timezone.now(), allowed=False)
