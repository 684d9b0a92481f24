"""Which chores there are: every app's ``chores`` module names its own in ``CHORES``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.util import find_spec

from django.apps import apps


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done again and again, by one replica at a time."""

    name: str
    """Unique, short, for logs and pages."""
    every: timedelta
    """From one beginning to the next."""
    run: Callable[[], None]
    """Does it, in short transactions. May raise: that is logged, and it is tried again at its next time."""
    needed: Callable[[], bool] = lambda: True
    """A quick look, before the chore's time, whether there is anything to do. While there is not, nothing is written
    at all: a quiet installation stays quiet. Whoever wakes the chore knows better, and it is not asked."""
    longest: timedelta = timedelta(minutes=15)
    """When it has not ended by then, its replica is taken for dead, and another one may begin."""


@cache
def chores() -> dict[str, Chore]:
    """All chores of all installed apps, by name."""
    found: dict[str, Chore] = {}
    for app in apps.get_app_configs():
        name = f"{app.name}.chores"
        if app.name.startswith("doorward.") and find_spec(name) is not None:
            for chore in getattr(importlib.import_module(name), "CHORES", ()):
                assert chore.name not in found, chore.name
                found[chore.name] = chore
    return found
