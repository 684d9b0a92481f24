"""Change the settings of the installation."""

from __future__ import annotations

from django.db import transaction

from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.system.models import SystemSettings


def update(actor: Actor, **changes: object) -> SystemSettings:
    """Change what is named. Raises ValidationError."""
    with transaction.atomic():
        settings, _ = SystemSettings.objects.select_for_update().get_or_create(pk=1)
        before = events.snapshot(settings)
        for name, value in changes.items():
            setattr(settings, name, value)
        settings.full_clean()
        settings.save()
        events.updated(actor, settings, before)
    return settings
