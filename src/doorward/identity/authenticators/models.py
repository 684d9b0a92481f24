"""What people have besides a password: passkeys, codes from an app, recovery codes; and browsers that are remembered.

A row is a factor that its owner has proved to have (S-512): there are no unconfirmed ones. Secrets are hashed where
they are only compared, and sealed where they must be known again (S-803).
"""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from doorward.identity.directory.models import User

LONGEST_NAME = 64
"""Characters of a factor's name."""


class DeviceClass(models.TextChoices):
    """The kinds of factors, under the names that validation stages list."""

    WEBAUTHN = "webauthn"
    TOTP = "totp"
    STATIC = "static"
    EMAIL = "email"


class Device(models.Model):
    """Base of all factors."""

    CLASS: DeviceClass

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    """Names the factor in addresses; the primary key is a number because the API's clients expect one."""
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="%(class)ss")
    name = models.CharField(max_length=LONGEST_NAME)
    created = models.DateTimeField(default=timezone.now)
    last_updated = models.DateTimeField(auto_now=True)
    last_used = models.DateTimeField(null=True, default=None)

    class Meta:
        abstract = True
        ordering = ["created", "id"]

    def __str__(self) -> str:
        return self.name


class WebAuthnDevice(Device):
    """A passkey or a security key."""

    CLASS = DeviceClass.WEBAUTHN

    credential_id = models.TextField(unique=True)
    """base64url, as the browser names it."""
    public_key = models.TextField()
    """COSE key with its algorithm, base64url."""
    sign_count = models.BigIntegerField(default=0)
    """As reported last; passkeys that are synchronised always say 0."""
    aaguid = models.CharField(max_length=36)
    """Which model of authenticator it is; zeros where the browser does not tell."""
    transports = models.JSONField(default=list)
    backed_up = models.BooleanField(default=False)
    """Whether it is synchronised, so that losing the device does not lose it."""


class TOTPDevice(Device):
    """An app that shows six or eight digits which change every 30 seconds (RFC 6238)."""

    CLASS = DeviceClass.TOTP

    sealed_seed = models.TextField()
    digits = models.PositiveSmallIntegerField(default=6)
    last_step = models.BigIntegerField(default=0)
    """The time step whose code was accepted last: no code of it or of an earlier one is ever accepted again (S-510)."""


class StaticDevice(Device):
    """A set of recovery codes; a user has at most one."""

    CLASS = DeviceClass.STATIC

    class Meta(Device.Meta):
        constraints = [models.UniqueConstraint(fields=["user"], name="one_set_of_recovery_codes")]


class StaticToken(models.Model):
    """One recovery code that was not used yet. Using it deletes the row (S-514)."""

    device = models.ForeignKey(StaticDevice, on_delete=models.CASCADE, related_name="tokens")
    code_hash = models.CharField(max_length=64, unique=True)


class EmailDevice(Device):
    """An address that codes are sent to. Whoever has set it up has typed a code that arrived there."""

    CLASS = DeviceClass.EMAIL

    email = models.EmailField()

    class Meta(Device.Meta):
        constraints = [models.UniqueConstraint(fields=["user", "email"], name="one_factor_per_address")]


class MailedCode(models.Model):
    """A code that is on its way or waits to be typed. Using it deletes the row; every look at it is counted first."""

    place = models.CharField(primary_key=True, max_length=64)
    """SHA-256 of what the code is for: one factor in one login, or one set-up. A new code there kills the old."""
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mailed_codes")
    code_hash = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    expires = models.DateTimeField(db_index=True)


class RememberedDevice(models.Model):
    """A browser that is not asked for a second factor until ``expires``; its cookie is known by its hash (S-533)."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="remembered_devices")
    token_hash = models.CharField(max_length=64, unique=True)
    factor = models.UUIDField()
    """``uuid`` of the factor that was shown when the browser was remembered."""
    user_agent = models.TextField(blank=True, default="")
    last_ip = models.GenericIPAddressField(null=True)
    created = models.DateTimeField(default=timezone.now)
    last_used = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()

    class Meta:
        ordering = ["-last_used"]

    def __str__(self) -> str:
        return str(self.uuid)


class SpentChallenge(models.Model):
    """A WebAuthn challenge that was answered. The primary key makes one of two simultaneous answers the only one."""

    digest = models.CharField(primary_key=True, max_length=64)
    expires = models.DateTimeField(db_index=True)
    """When the challenge is too old anyway and the row may go."""
