"""Stages that reach people elsewhere: by a letter, by an invitation."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from doorward.identity import durations
from doorward.identity.directory.models import User
from doorward.identity.stages.models.base import Stage


class EmailStage(Stage):
    """Sends a link that leads back into the flow; whoever opens it has proved the address."""

    KIND = "email"

    class Template(models.TextChoices):
        PASSWORD_RESET = "email/password_reset.html"  # noqa: S105 - the name of a template
        ACCOUNT_CONFIRMATION = "email/account_confirmation.html"

    token_expiry = models.TextField(default="minutes=30", validators=[durations.require])
    subject = models.CharField(max_length=200, default="Doorward")
    template = models.CharField(max_length=64, default=Template.PASSWORD_RESET)
    """``email/<letter>.html``: a built-in one, or one of the folder of templates."""
    activate_user_on_success = models.BooleanField(default=False)

    @property
    def letter(self) -> str:
        """The name of its letter."""
        return self.template.removeprefix("email/").removesuffix(".html")


class InvitationStage(Stage):
    """Lets only those through who were invited."""

    KIND = "invitation"
    continue_flow_without_invitation = models.BooleanField(default=False)


class Invitation(models.Model):
    """Opens an enrolment flow to whoever has its link. The key is the secret: 122 random bits."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField()
    expires = models.DateTimeField(null=True, blank=True)
    """Judged whenever it is read; None: never."""
    fixed_data = models.JSONField(default=dict, blank=True)
    """What the new user gets whatever they type, under the keys of prompts."""
    single_use = models.BooleanField(default=False)
    flow = models.ForeignKey(
        "flows.Flow", null=True, blank=True, default=None, on_delete=models.CASCADE, related_name="invitations"
    )
    """The one flow that it opens; None: every flow with an invitation stage."""
    created_by = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        return self.expires is not None and self.expires <= timezone.now()
