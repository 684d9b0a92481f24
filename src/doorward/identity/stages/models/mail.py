"""Stages that reach people elsewhere: by a letter, by an invitation."""

from __future__ import annotations

from django.db import models

from doorward.identity import durations
from doorward.identity.stages.models.base import Stage


class EmailStage(Stage):
    """Sends a link that leads back into the flow; whoever opens it has proved the address."""

    KIND = "email"

    class Template(models.TextChoices):
        PASSWORD_RESET = "email/password_reset.html"  # noqa: S105 - the name of a template
        ACCOUNT_CONFIRMATION = "email/account_confirmation.html"

    token_expiry = models.TextField(default="minutes=30", validators=[durations.require])
    subject = models.CharField(max_length=200, default="Doorward")
    template = models.CharField(max_length=64, choices=Template.choices, default=Template.PASSWORD_RESET)
    activate_user_on_success = models.BooleanField(default=False)
