"""The settings in force. They are asked for with every event, so each process remembers them for half a minute."""

from __future__ import annotations

import time

from doorward.identity.system.models import SystemSettings

REMEMBERED = 30.0
"""Seconds until a change that another process made is seen."""
_known: list[tuple[float, SystemSettings]] = []


def current() -> SystemSettings:
    """The settings; not to be changed by whoever gets them."""
    now = time.monotonic()
    if _known and now - _known[0][0] < REMEMBERED:
        return _known[0][1]
    found = SystemSettings.objects.filter(pk=1).first() or SystemSettings()
    _known[:] = [(now, found)]
    return found


def forget() -> None:
    """Read them again the next time."""
    _known.clear()
