from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RememberedConfig(AppConfig):
    name = "doorward.identity.remembered"
    label = "remembered"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """SQLite rebuilds a table to alter it, and its triggers go with the old one."""
        post_migrate.connect(_ensure, sender=self, dispatch_uid="remembered.triggers")


def _ensure(**_: Any) -> None:
    from doorward.identity.remembered.triggers import ensure

    ensure()
