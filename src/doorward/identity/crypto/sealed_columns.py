"""Where sealed values lie: every app's ``sealed`` module names its own in ``SEALED``.

Whoever exchanges the key must reach all of them; a house test sees that no column is forgotten.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.db import models

from doorward.identity.crypto import vault


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One column of a table, whose values are sealed, each to its place; empty where there is no secret."""

    model: type[models.Model]
    field: str
    place: Callable[[Any], str]
    """Of a row: what its value is sealed to."""

    @property
    def name(self) -> str:
        return f"{self.model._meta.label}.{self.field}"

    def renewed(self, row: models.Model) -> str | None:
        """The value under the key of now; None where nothing is to be done. Raises vault.Unreadable."""
        value: str = getattr(row, self.field)
        return vault.resealed(value, self.place(row)) if value else None


@cache
def sealed_columns() -> tuple[SealedColumn, ...]:
    """Those of all installed apps."""
    found: list[SealedColumn] = []
    for app in apps.get_app_configs():
        name = f"{app.name}.sealed"
        if app.name.startswith("doorward.") and find_spec(name) is not None:
            found.extend(importlib.import_module(name).SEALED)
    return tuple(found)
