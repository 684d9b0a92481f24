"""Every sealed column is known to whoever exchanges the key."""

from __future__ import annotations

from django.apps import apps
from django.db import models

from doorward.identity.crypto.sealed_columns import sealed_columns


def test_no_sealed_column_is_forgotten() -> None:
    """One that is missing here would be unreadable after an exchange: name it in the app's ``sealed`` module."""
    # S-804
    named = {column.name for column in sealed_columns()}
    there = {
        f"{field.model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, models.TextField) and field.name.startswith("sealed")
    }

    assert there
    assert named == there | {"directory.Installation.key_check", "logins.LoginSession.session_data"}
