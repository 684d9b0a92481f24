"""What happened (for people), and what changed (for the data plane)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from doorward.identity.events import proofs


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
    created = models.DateTimeField(default=timezone.now, db_index=True)
    expires = models.DateTimeField(default=default_expiry, db_index=True)
    """When it may be deleted; said when it is written, and proved with the rest."""
    proof = models.CharField(max_length=64, null=True, editable=False)
    """See ``proofs``."""
    number = models.BigIntegerField(null=True, editable=False)
    """Its place in the chain; null until it is sealed, which is not part of what is proved."""

    class Meta:
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["action", "-created"], name="events_action_created"),
            models.Index(fields=["client_ip", "-created"], name="events_ip_created"),
            models.Index(fields=["created"], name="events_unsealed", condition=models.Q(number=None)),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.created:%Y-%m-%d %H:%M:%S}"

    def save(self, **options: Any) -> None:
        """An event is proved when it is written, whoever writes it."""
        if self._state.adding and self.proof is None:
            self.proof = proofs.proof_of(self)
        super().save(**options)


class Link(models.Model):
    """One event's place in the chain. It stays when the event is deleted, until all links before it can go too."""

    number = models.BigIntegerField(primary_key=True)
    """Without a gap, from 1."""
    event = models.UUIDField(unique=True)
    """Not a foreign key: it must still say which event is missing."""
    proof = models.CharField(max_length=64)
    """The event's, as it was when it was sealed."""
    expires = models.DateTimeField()
    """The event's: after that, its absence is nothing to wonder about."""
    sealed = models.DateTimeField()
    mac = models.CharField(max_length=64)
    """Over all of this and the ``mac`` of the link before."""

    def __str__(self) -> str:
        return f"{self.number} {self.event}"


class Chain(models.Model):
    """The one row that says where the chain begins, now that its oldest links may be gone, and how it was found."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    """Of the last link that was deleted because its time was over; 0: none."""
    mac = models.CharField(max_length=64, blank=True, default="")
    """That link's."""
    begun = models.DateTimeField(default=timezone.now)
    """When the chain was begun: events without a proof are older than that."""
    proof = models.CharField(max_length=64)
    """Over the three above."""
    verified = models.DateTimeField(null=True)
    """When it was last gone through from beginning to end."""
    findings = models.JSONField(default=list)
    """What was wrong then, in words; empty: nothing."""

    def __str__(self) -> str:
        return f"from {self.number}"


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
