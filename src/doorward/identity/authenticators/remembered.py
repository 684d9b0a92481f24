"""Browsers that are not asked for a second factor again for a while (S-533).

The cookie is 256 random bits, the row keeps their SHA-256 together with user, factor and end. It is looked up for the
user who has just given a password, so a token of somebody else's is worth nothing. The cookie's name carries a few
digits of the user's pseudonym, so that several people can share a browser.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from doorward.identity.authenticators import queries
from doorward.identity.authenticators.models import Device, RememberedDevice
from doorward.identity.crypto import vault
from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.web.cookies import presented

LONGEST = timedelta(days=30)
MOST = 20
"""Browsers of one user; the one that was used longest ago goes first."""
_WAITING = "_remembered_browser"


def remember(request: HttpRequest, user: User, device: Device, lifetime: timedelta) -> RememberedDevice:
    """Remember the browser of this request; ``send_cookie`` puts the token into the answer."""
    token = secrets.token_urlsafe(32)
    lifetime = min(lifetime, LONGEST)
    actor = Actor.of(request).acting_as(user)
    with transaction.atomic():
        row = RememberedDevice.objects.create(
            user=user,
            token_hash=vault.digest(token),
            factor=device.uuid,
            user_agent=actor.user_agent,
            last_ip=actor.client_ip,
            expires=timezone.now() + lifetime,
        )
        for surplus in user.remembered_devices.order_by("-last_used")[MOST:]:
            surplus.delete()
        events.created(actor, row)
    setattr(request, _WAITING, (cookie_name(user), token, lifetime))
    return row


def is_remembered(request: HttpRequest, user: User, within: timedelta) -> bool:
    """Whether this browser showed a factor that the user still has, at most ``within`` ago."""
    token = presented(request, cookie_name(user))
    if not 32 <= len(token) <= 64:
        return False
    row = queries.remembered(user).filter(token_hash=vault.digest(token), created__gt=timezone.now() - within).first()
    if row is None or queries.device_by_uuid(user, row.factor) is None:
        return False
    actor = Actor.of(request)
    seen = {"last_used": timezone.now(), "last_ip": actor.client_ip, "user_agent": actor.user_agent}
    RememberedDevice.objects.filter(pk=row.pk).update(**seen)
    return True


def send_cookie(request: HttpRequest, response: HttpResponseBase) -> None:
    """Give the browser the token that was made while this request was answered, if there is one."""
    waiting = getattr(request, _WAITING, None)
    if waiting is None:
        return
    name, token, lifetime = waiting
    response.set_cookie(
        name,
        token,
        max_age=lifetime,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def cookie_name(user: User) -> str:
    """``__Host-doorward_known_<8 hex digits>``; without the prefix on plain http."""
    prefix = "__Host-" if settings.SESSION_COOKIE_SECURE else ""
    return f"{prefix}doorward_known_{user.uid[:8]}"
