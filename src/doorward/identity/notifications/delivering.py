"""Take messages to where they go: the chore ``notifications.deliver``.

A delivery is claimed by a conditional UPDATE that moves its next try into the future; it is deleted when it was taken,
and after ``ATTEMPTS`` (about four hours) given up, with an event. A transport that has just failed is not asked again
in the same run: a server that hangs costs ten seconds, not ten for each message.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from doorward.identity.egress.client import Refused
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.notifications import messages
from doorward.identity.notifications.following import APP
from doorward.identity.notifications.models import Delivery, Transport

FIRST_RETRY = 30
"""Seconds; each further one waits twice as long."""
LONGEST_RETRY = 3600
ATTEMPTS = 10
AT_ONCE = 200
_log = logging.getLogger("doorward.notifications")


def is_due() -> bool:
    """Whether a message's time has come."""
    return Delivery.objects.filter(next_try__lte=timezone.now()).exists()


def deliver() -> int:
    """Try everything whose time has come; says how many were taken."""
    taken = 0
    failing: set[object] = set()
    due = Delivery.objects.filter(next_try__lte=timezone.now()).select_related(
        "transport__webhook_mapping_body", "transport__webhook_mapping_headers", "user", "event"
    )
    for delivery in due.order_by("next_try")[:AT_ONCE]:
        if delivery.transport_id in failing or not _claimed(delivery):
            continue
        try:
            messages.send(delivery.transport, delivery)
        except messages.TROUBLE as error:
            failing.add(delivery.transport_id)
            _failed(delivery, error)
        else:
            taken += 1
            delivery.delete()
            Transport.objects.filter(pk=delivery.transport_id).exclude(failure="").update(failure="")
    return taken


def _claimed(delivery: Delivery) -> bool:
    pause = min(FIRST_RETRY * 2**delivery.attempts, LONGEST_RETRY)
    unclaimed = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts)
    later = timezone.now() + timedelta(seconds=pause)
    return unclaimed.update(attempts=delivery.attempts + 1, next_try=later) == 1


def _failed(delivery: Delivery, error: Exception) -> None:
    why = str(error)[:300] or type(error).__name__
    _log.warning("a notification could not be delivered by %s: %s", delivery.transport.name, why)
    Transport.objects.filter(pk=delivery.transport_id).update(failure=why)
    # What may not be asked, or cannot be made, is not better in an hour.
    if delivery.attempts + 1 < ATTEMPTS and not isinstance(error, Refused | ExpressionFailed):
        return
    delivery.delete()
    events.record(
        "system_task_exception",
        APP,
        Actor.system(),
        message=f"A notification was given up: {why}",
        transport=delivery.transport.name,
        event=str(delivery.event_id),
    )
