"""Make, change and try the ways in which people are told; what they have seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.notifications import messages
from doorward.identity.notifications.following import APP
from doorward.identity.notifications.models import Notification, Severity, Transport


@dataclass(frozen=True, slots=True)
class Sample:
    """A message that is about nothing."""

    user: User
    event: Event
    severity: str
    body: str


def send_test(actor: Actor, transport: Transport, user: User) -> str:
    """Tell ``user`` something by ``transport``, now, and say what came of it. Raises as ``messages.send``."""
    with transaction.atomic():
        event = events.record(
            "system_task_execution", APP, actor, message="A test notification", transport=transport.name
        )
    body = _("This is a test: notifications arrive here.")
    sample = Sample(user, event, Severity.NOTICE, body)
    if transport.mode == Transport.Mode.LOCAL:
        Notification.objects.create(user=user, event=event, severity=sample.severity, body=body)
        return _("It stands on your page of notifications.")
    return messages.send(transport, sample)


def mark_seen(user: User, **which: Any) -> int:
    """Those of ``user``'s notifications that are not seen yet."""
    return Notification.objects.filter(user=user, seen=False, **which).update(seen=True)
