"""The device grant (RFC 8628 section 3.4): the device asks again and again until somebody has decided.

Its code works once: one conditional UPDATE, of which twenty at once win one (S-805). Whoever asks sooner than they
were told has to wait longer each time. Another client learns nothing, not even that the code exists (S-422).
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from doorward.identity import durations
from doorward.identity.crypto import vault
from doorward.identity.events.actor import Actor
from doorward.identity.logins.session_store import is_live
from doorward.identity.oauth2 import denial, scopes
from doorward.identity.oauth2.clients import Client
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.issue import Authorization, Tokens, issue
from doorward.identity.oauth2.kept_out import kept_out
from doorward.identity.oauth2.models import DeviceCode
from doorward.identity.oauth2.parameters import Parameters
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.queries import verdict

TOLERANCE = timedelta(seconds=1)
"""Two questions may come a little closer together than they were sent."""
LONGER = 5
"""Seconds that every hasty question adds (RFC 8628 section 3.5)."""


def redeem(client: Client, form: Parameters, actor: Actor) -> Tokens | Denial:
    """Tokens for the device code in ``form``, once somebody has let the device in."""
    presented = form.get("device_code")
    if not presented:
        return denial.NO_DEVICE_CODE
    with transaction.atomic():
        row = (
            DeviceCode.objects.select_related("user", "login_session")
            .filter(device_hash=vault.digest(presented), provider=client.provider)
            .first()
        )
        if row is None or row.used_at is not None:
            return denial.INVALID_GRANT
        if row.expires <= timezone.now():
            return denial.EXPIRED_TOKEN
        if _hasty(row):
            return denial.SLOW_DOWN
        if row.decided_at is None:
            return denial.AUTHORIZATION_PENDING
        if not row.allowed:
            return denial.ACCESS_DENIED
        if not DeviceCode.objects.filter(pk=row.pk, used_at=None).update(used_at=timezone.now()):
            return denial.INVALID_GRANT
        return _issue(row, client, actor)


def _hasty(row: DeviceCode) -> bool:
    """Notes the question; whether it came too soon after the last one."""
    now, last = timezone.now(), row.polled_at
    own = DeviceCode.objects.filter(pk=row.pk)
    if last is not None and now - last < timedelta(seconds=row.interval) - TOLERANCE:
        own.update(polled_at=now, interval=F("interval") + LONGER)
        return True
    own.update(polled_at=now)
    return False


def _issue(row: DeviceCode, client: Client, actor: Actor) -> Tokens | Denial:
    login, user = row.login_session, row.user
    if login is None or user is None or not user.is_active or not is_live(login):
        return denial.ACCESS_DENIED
    access = verdict(client.application, user, Asked.since(login))
    if not access.passing:
        kept_out(actor, client.application, user, access.reasons, by=row.family)
        return denial.ACCESS_DENIED
    mappings = scopes.mappings_of(client.provider)
    granted = tuple(scope for scope in row.scope.split() if scope in mappings)
    if login.impersonator_id is not None:
        granted = tuple(scope for scope in granted if scope != scopes.OFFLINE_ACCESS)  # S-534
    authorization = Authorization(
        provider=client.provider,
        user=user,
        scopes=granted,
        auth_time=row.auth_time or timezone.now(),
        amr=tuple(row.amr),
        family=row.family,
        login_session=login.pk,
        sid=row.sid,
    )
    refresh_until = None
    if scopes.OFFLINE_ACCESS in granted:
        refresh_until = timezone.now() + durations.parse(client.provider.refresh_token_validity)
    return issue(authorization, mappings, refresh_until=refresh_until)
