"""Who is told about which events, and how (``contracts/identity.md`` section 11)."""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorward.identity.directory.models import Group, User
from doorward.identity.egress import client
from doorward.identity.events.models import Event
from doorward.identity.policies.models import PolicyTarget, require_expression


def require_address(url: str) -> None:
    """Raise ValidationError unless ``url`` may be asked; it may be of this network, superusers write it (S-650)."""
    try:
        client.check(url, private=True)
    except client.NotAsked as refused:
        raise ValidationError(str(refused), "invalid") from refused


class Severity(models.TextChoices):
    NOTICE = "notice", gettext_lazy("Notice")
    WARNING = "warning", gettext_lazy("Warning")
    ALERT = "alert", gettext_lazy("Alert")


class WebhookMapping(models.Model):
    """An expression that makes the body or the headers of a webhook's request."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    expression = models.TextField(validators=[require_expression])

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Transport(models.Model):
    """One way to tell somebody."""

    class Mode(models.TextChoices):
        LOCAL = "local", gettext_lazy("On their pages here")
        EMAIL = "email", gettext_lazy("E-mail")
        WEBHOOK = "webhook", gettext_lazy("Webhook (JSON)")
        WEBHOOK_SLACK = "webhook_slack", gettext_lazy("Webhook (Slack, Discord, Mattermost)")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    mode = models.CharField(max_length=16, choices=Mode.choices, default=Mode.LOCAL)
    webhook_url = models.CharField(max_length=2000, blank=True, default="", validators=[require_address])
    webhook_mapping_body = models.ForeignKey(
        WebhookMapping, null=True, blank=True, on_delete=models.PROTECT, related_name="transports_body"
    )
    """Makes the body; empty: the one that authentik sends."""
    webhook_mapping_headers = models.ForeignKey(
        WebhookMapping, null=True, blank=True, on_delete=models.PROTECT, related_name="transports_headers"
    )
    email_subject_prefix = models.CharField(max_length=100, blank=True, default="Doorward: ")
    send_once = models.BooleanField(default=False)
    """One message for all who are to be told, such as into a chat room."""
    failure = models.CharField(max_length=300, blank=True, default="", editable=False)
    """What went wrong the last time; empty: nothing."""

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_webhook(self) -> bool:
        return self.mode in (self.Mode.WEBHOOK, self.Mode.WEBHOOK_SLACK)

    def clean(self) -> None:
        if self.is_webhook and not self.webhook_url:
            raise ValidationError({"webhook_url": _("A webhook needs its address.")}, "required")


class Rule(PolicyTarget):
    """Whom to tell about the events that the policies bound to it speak of; without a policy, of none."""

    name = models.CharField(max_length=200, unique=True)
    transports = models.ManyToManyField(Transport, blank=True, related_name="rules")
    """None: on people's pages here."""
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.NOTICE)
    destination_group = models.ForeignKey(
        Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="notification_rules"
    )
    destination_event_user = models.BooleanField(default=False)
    """Whether whoever the event is by is told as well."""

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Notification(models.Model):
    """What one user is told on their pages."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    event = models.ForeignKey(Event, null=True, on_delete=models.SET_NULL, related_name="+")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    body = models.TextField()
    created = models.DateTimeField(default=timezone.now)
    seen = models.BooleanField(default=False)

    class Meta:
        ordering = ["-created"]
        indexes = [models.Index(fields=["user", "seen", "-created"], name="notifications_of_user")]

    def __str__(self) -> str:
        return self.body[:100]


class Delivery(models.Model):
    """A message on its way through a transport that is not here. It goes when it was taken, or given up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    transport = models.ForeignKey(Transport, on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    body = models.TextField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["next_try"]

    def __str__(self) -> str:
        return f"{self.transport}: {self.body[:100]}"


class Cursor(models.Model):
    """The one row that says up to which number of the chain the rules have been asked."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)
