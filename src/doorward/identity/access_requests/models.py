"""Which applications can be asked for, and who has asked for what."""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from doorward.identity import durations
from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.policies.models import PolicyBinding


class AccessOffer(models.Model):
    """An application that users without access may ask for; whom they ask, and for how long they get it at most."""

    application = models.OneToOneField(Application, on_delete=models.CASCADE, primary_key=True, related_name="offer")
    enabled = models.BooleanField(default=True)
    longest = models.CharField(max_length=128, default="days=30", validators=[durations.require])
    approver_users = models.ManyToManyField(User, blank=True, related_name="offers_to_decide")
    approver_groups = models.ManyToManyField(Group, blank=True, related_name="offers_to_decide")
    """Inherited membership counts."""

    def __str__(self) -> str:
        return f"access to {self.application}"

    def clean(self) -> None:
        try:
            length = durations.parse(self.longest)
        except ValidationError as error:
            raise ValidationError({"longest": error.messages}) from error
        if not length:
            raise ValidationError({"longest": [_("Longer than nothing, such as days=7.")]})


class AccessRequest(models.Model):
    """One request; while its binding is there and has not ended, the user has access."""

    class Status(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        DENIED = "denied"
        REVOKED = "revoked"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="access_requests")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_requests")
    reason = models.TextField()
    until = models.DateTimeField()
    """Asked for; once approved, given."""
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    created = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True, default="")
    """What whoever decided has to say to the user."""
    binding = models.OneToOneField(PolicyBinding, null=True, on_delete=models.SET_NULL, related_name="access_request")

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "user"], condition=models.Q(status="pending"), name="one_pending_request"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} to {self.application}"
