"""The writes about flows: one transaction, one event."""

from __future__ import annotations

from django.db import transaction

from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow


def set_compatibility_mode(actor: Actor, flow: Flow, on: bool) -> None:
    """Switch ``compatibility_mode``."""
    with transaction.atomic():
        before = events.snapshot(flow)
        flow.compatibility_mode = on
        flow.save(update_fields=["compatibility_mode"])
        events.updated(actor, flow, before)
