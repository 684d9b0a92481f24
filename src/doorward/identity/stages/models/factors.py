"""Stages of second factors and passkeys: asking for them, setting them up."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_noop

from doorward.identity import durations
from doorward.identity.authenticators import recovery_codes
from doorward.identity.authenticators.models import LONGEST_NAME, DeviceClass
from doorward.identity.stages.models.base import Stage


def default_device_classes() -> list[str]:
    return [DeviceClass.EMAIL, DeviceClass.STATIC, DeviceClass.TOTP, DeviceClass.WEBAUTHN]


class Preference(models.TextChoices):
    """How much a relying party wants something of an authenticator."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    DISCOURAGED = "discouraged"


class AuthenticatorValidateStage(Stage):
    """Asks for a second factor; as the first stage of a flow, for a passkey and nothing else."""

    KIND = "authenticatorvalidate"

    class NotConfiguredAction(models.TextChoices):
        SKIP = "skip"
        DENY = "deny"
        CONFIGURE = "configure"

    not_configured_action = models.CharField(
        max_length=16, choices=NotConfiguredAction.choices, default=NotConfiguredAction.SKIP
    )
    device_classes = models.JSONField(default=default_device_classes)
    configuration_stages = models.ManyToManyField(Stage, related_name="+", blank=True)
    """Set-up stages to choose from when there is no factor yet."""
    last_auth_threshold = models.TextField(default="seconds=0", validators=[durations.require])
    """For so long a browser may be remembered, at most 30 days; 0 asks every time."""
    webauthn_user_verification = models.CharField(
        max_length=16, choices=Preference.choices, default=Preference.PREFERRED
    )
    webauthn_hints = models.JSONField(default=list, blank=True)


class SetUpStage(Stage):
    """Base of the stages in which somebody sets up a factor."""

    configure_flow = models.ForeignKey("flows.Flow", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """The flow that its owner goes through from their own pages."""
    friendly_name = models.CharField(max_length=LONGEST_NAME, blank=True, default="")
    """What a new factor is called unless its owner says otherwise."""

    class Meta:
        abstract = True


class AuthenticatorTOTPStage(SetUpStage):
    KIND = "authenticatortotp"
    digits = models.PositiveSmallIntegerField(choices=[(6, "6"), (8, "8")], default=6)


class AuthenticatorStaticStage(SetUpStage):
    KIND = "authenticatorstatic"
    token_count = models.PositiveIntegerField(default=recovery_codes.COUNT)
    token_length = models.PositiveIntegerField(default=recovery_codes.LENGTH)


class AuthenticatorEmailStage(SetUpStage):
    """Sets up codes by letter; the first one, by name, also says how letters look when such a code is asked for."""

    KIND = "authenticatoremail"
    subject = models.CharField(max_length=200, default=gettext_noop("Your code"))
    token_expiry = models.TextField(default="minutes=10", validators=[durations.require])
    """How long a code is good; never longer than 30 minutes."""


class AuthenticatorWebAuthnStage(SetUpStage):
    KIND = "authenticatorwebauthn"

    class Attachment(models.TextChoices):
        PLATFORM = "platform"
        CROSS_PLATFORM = "cross-platform"

    user_verification = models.CharField(max_length=16, choices=Preference.choices, default=Preference.PREFERRED)
    resident_key_requirement = models.CharField(max_length=16, choices=Preference.choices, default=Preference.PREFERRED)
    authenticator_attachment = models.CharField(max_length=16, choices=Attachment.choices, null=True, default=None)
    hints = models.JSONField(default=list, blank=True)
    max_attempts = models.PositiveIntegerField(default=0)
    """0: as often as one likes."""
