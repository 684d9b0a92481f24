"""Which blueprints are in force here, and how their last application went."""

from __future__ import annotations

import uuid

from django.db import models


class BlueprintInstance(models.Model):
    """A blueprint that belongs to this installation: a file of the folder, or a text that is kept here."""

    class Status(models.TextChoices):
        SUCCESSFUL = "successful"
        WARNING = "warning"
        ERROR = "error"
        ORPHANED = "orphaned"
        """Its file has vanished; what it made stays."""
        UNKNOWN = "unknown"
        """Never applied yet."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.TextField(unique=True)
    path = models.TextField(blank=True, default="")
    """Relative to the folder; empty where the text is kept here."""
    content = models.TextField(blank=True, default="")
    context = models.JSONField(blank=True, default=dict)
    """Goes before the context that stands in the blueprint."""
    enabled = models.BooleanField(default=True)
    metadata = models.JSONField(blank=True, default=dict, editable=False)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.UNKNOWN, editable=False)
    last_applied = models.DateTimeField(auto_now_add=True)
    """When it was applied, or found, last."""
    last_applied_hash = models.TextField(blank=True, default="", editable=False)
    """SHA-512 of the text that was tried last, whatever came of it."""
    managed_models = models.JSONField(blank=True, default=list, editable=False)
    """Keys of the objects that its entries are about: ``model:key``."""
    problems = models.TextField(blank=True, default="", editable=False)
    """Why it is not applied, a line each; empty when it is."""

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
