"""The kinds of stages, with their settings (``contracts/identity.md`` section 6.3)."""

from __future__ import annotations

import uuid

from django.db import models


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
