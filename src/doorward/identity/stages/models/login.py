"""Stages of logging in and out: who, the password, the session, consent."""

from __future__ import annotations

from django.db import models

from doorward.identity.logins.bindings import GeoipBinding, NetworkBinding
from doorward.identity.stages.models.base import Stage


def default_user_fields() -> list[str]:
    return ["email", "username"]


class PasswordStage(Stage):
    KIND = "password"
    backends = models.JSONField(default=list)
    failed_attempts_before_cancel = models.IntegerField(default=5)
    allow_show_password = models.BooleanField(default=False)
    configure_flow = models.ForeignKey(
        "flows.Flow", null=True, blank=True, on_delete=models.SET_NULL, related_name="password_stages"
    )
    """The flow in which a user chooses another password; its rules hold wherever passwords are chosen."""


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
    recovery_flow = models.ForeignKey("flows.Flow", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    enrollment_flow = models.ForeignKey(
        "flows.Flow", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    case_insensitive_matching = models.BooleanField(default=True)
    show_matched_user = models.BooleanField(default=True)
    pretend_user_exists = models.BooleanField(default=True)
    enable_remember_me = models.BooleanField(default=False)
    sources = models.ManyToManyField("sources.Source", related_name="+", blank=True)
    """Other places to log in at, as buttons on the page."""
    show_source_labels = models.BooleanField(default=False, db_default=False)
    """Names beside the icons of sources that are not promoted."""


class UserLoginStage(Stage):
    KIND = "userlogin"
    session_duration = models.TextField(default="seconds=0")
    """0 ends with the browser."""
    remember_me_offset = models.TextField(default="seconds=0")
    terminate_other_sessions = models.BooleanField(default=False)
    network_binding = models.CharField(
        max_length=32,
        choices=NetworkBinding.choices,
        default=NetworkBinding.NO_BINDING,
        db_default=NetworkBinding.NO_BINDING.value,
    )
    """A request from another network ends the login; see ``logins.bindings``."""
    geoip_binding = models.CharField(
        max_length=32,
        choices=GeoipBinding.choices,
        default=GeoipBinding.NO_BINDING,
        db_default=GeoipBinding.NO_BINDING.value,
    )
    """The same for another place."""


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
