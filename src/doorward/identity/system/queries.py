"""The settings in force. They are asked for with every event, so they are remembered."""

from __future__ import annotations

from doorward.identity.remembered.memory import remembered
from doorward.identity.system.models import SystemSettings


@remembered
def current() -> SystemSettings:
    """The settings."""
    return SystemSettings.objects.filter(pk=1).first() or SystemSettings()
