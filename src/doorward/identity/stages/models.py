"""The kinds of stages, with their settings (``contracts/identity.md`` section 6.3)."""

from __future__ import annotations

import uuid

from django.db import models

from doorward.identity import durations
from doorward.identity.authenticators import recovery_codes
from doorward.identity.authenticators.models import LONGEST_NAME, DeviceClass


class Stage(models.Model):
    """Base of all stages. ``kind`` names the child table, so that a stage can be read as what it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.TextField(unique=True)
    kind = models.CharField(max_length=32, editable=False)

    KIND = ""

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        if self.KIND:
            self.kind = self.KIND
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def concrete(self) -> Stage:
        """This stage as an object of its own kind."""
        stage: Stage = getattr(self, f"{self.kind}stage")
        return stage


def default_user_fields() -> list[str]:
    return ["email", "username"]


class PasswordStage(Stage):
    KIND = "password"
    backends = models.JSONField(default=list)
    failed_attempts_before_cancel = models.IntegerField(default=5)
    allow_show_password = models.BooleanField(default=False)


class IdentificationStage(Stage):
    KIND = "identification"
    user_fields = models.JSONField(default=default_user_fields)
    password_stage = models.ForeignKey(PasswordStage, null=True, on_delete=models.SET_NULL, related_name="+")
    webauthn_stage = models.ForeignKey(
        "AuthenticatorValidateStage", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Offers to log in with a passkey on this page, under the settings of that stage."""
    passwordless_flow = models.ForeignKey(
        "flows.Flow", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    case_insensitive_matching = models.BooleanField(default=True)
    show_matched_user = models.BooleanField(default=True)
    pretend_user_exists = models.BooleanField(default=True)
    enable_remember_me = models.BooleanField(default=False)


class UserLoginStage(Stage):
    KIND = "userlogin"
    session_duration = models.TextField(default="seconds=0")
    """0 ends with the browser."""
    remember_me_offset = models.TextField(default="seconds=0")
    terminate_other_sessions = models.BooleanField(default=False)


class UserLogoutStage(Stage):
    KIND = "userlogout"


class ConsentStage(Stage):
    KIND = "consent"

    class Mode(models.TextChoices):
        ALWAYS_REQUIRE = "always_require"
        PERMANENT = "permanent"
        EXPIRING = "expiring"

    mode = models.CharField(max_length=16, choices=Mode.choices, default=Mode.EXPIRING)
    consent_expire_in = models.TextField(default="weeks=4")


def default_device_classes() -> list[str]:
    return [DeviceClass.STATIC, DeviceClass.TOTP, DeviceClass.WEBAUTHN]


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
