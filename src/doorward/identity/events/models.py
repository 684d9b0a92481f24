"""What happened (for people), and what changed (for the data plane)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone


def default_expiry() -> datetime:
    return timezone.now() + timedelta(days=365)


class Event(models.Model):
    """``contracts/identity.md`` section 11. Append-only; secrets are already redacted in ``context``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    action = models.CharField(max_length=64, db_index=True)
    app = models.TextField()
    user = models.JSONField(default=dict)
    """pk, username, email of whoever did it; ``on_behalf_of`` during impersonation; empty for strangers."""
    context = models.JSONField(default=dict)
    client_ip = models.GenericIPAddressField(null=True)
    brand = models.JSONField(default=dict)
    created = models.DateTimeField(auto_now_add=True, db_index=True)
    expires = models.DateTimeField(default=default_expiry)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.action} {self.created:%Y-%m-%d %H:%M:%S}"


class Change(models.Model):
    """One entry of the change log that the data plane follows; written in the transaction of the change itself.

    ``outposts``: something in ``OutpostConfiguration`` may differ now. ``session-ended``: the proxy session with
    the id_hash (hex) in ``subject`` is over.
    """

    class Kind(models.TextChoices):
        OUTPOSTS = "outposts"
        SESSION_ENDED = "session-ended"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    subject = models.CharField(max_length=128, blank=True, default="")
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.id} {self.kind} {self.subject}"
