"""The proxy sessions that live now, for those who look at them: people at their own, administrators at all."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from doorward.identity import durations
from doorward.identity.directory.notices import user_written
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.outposts import revocation
from doorward.identity.outposts.models import ProxyProvider, StoredSession


def sessions() -> QuerySet[StoredSession]:
    """All of them, the last used first. Idle ones, which end when somebody comes with them, are not among them."""
    now = timezone.now()
    found = StoredSession.objects.filter(expires__gt=now, user__is_active=True, provider__application__isnull=False)
    for provider, since in _limits(now).items():
        found = found.exclude(provider_id=provider, last_seen__lt=since)
    return found.select_related("user", "provider__application", "login_session").order_by("-last_seen")


def _limits(now: datetime) -> dict[int, datetime]:
    """When a session was used last at least, for providers that let idle ones end."""
    limited = ProxyProvider.objects.exclude(idle_limit="seconds=0").values_list("pk", "idle_limit")
    return {pk: now - limit for pk, text in limited if (limit := durations.parse(text))}


def end(actor: Actor, session: StoredSession) -> None:
    """End one from outside; the login that it came from goes on."""
    with transaction.atomic():
        user_written.send(StoredSession, actor=actor, user=session.user)
        events.record(
            "logout",
            "authentik.providers.proxy",
            actor,
            of_user=session.user,
            application=session.provider.application,
        )
        revocation.end_sessions(StoredSession.objects.filter(pk=session.pk))
