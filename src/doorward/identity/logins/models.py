"""Login sessions at the identity provider (authentik's AuthenticatedSession)."""

from __future__ import annotations

import hashlib
import uuid

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone

from doorward.identity.directory.models import User


class LoginSession(AbstractBaseSession):
    """A browser's server-side session. ``session_key`` is the SHA-256 (hex) of the cookie's value, never the value.

    ``user`` is set once somebody logged in; strangers in the middle of a flow have a row without one. The key changes
    at login (S-527) while the row, and with it what refers to the row, stays. ``expire_date`` is the absolute end.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session_key = models.CharField(max_length=64, unique=True, editable=False)
    sid = models.CharField(max_length=64, unique=True, editable=False)
    """``sid`` of the tokens issued to this login: ``session_key`` hashed once more, as it was when the login began.
    It outlives a change of the key when the same user logs in again."""
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="login_sessions")
    last_ip = models.GenericIPAddressField(null=True)
    last_user_agent = models.TextField(blank=True, default="")
    last_used = models.DateTimeField(default=timezone.now)
    authenticated_at = models.DateTimeField(null=True)
    """When the user last proved who they are (``auth_time``)."""
    methods = models.JSONField(default=list)
    """How they proved it (``amr``), e.g. ``["pwd"]``."""
    network_binding = models.CharField(max_length=32, default="no_binding", db_default="no_binding")
    geoip_binding = models.CharField(max_length=32, default="no_binding", db_default="no_binding")
    bound_ip = models.GenericIPAddressField(null=True)
    """Where the login began, if it is tied to that (``bindings``)."""
    remembered = models.BooleanField(default=False)
    """Outlives the browser and idleness, until ``expire_date``."""
    impersonator = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    """Who acts as ``user`` here (S-534); None for everybody who is themselves."""
    original = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="impersonations")
    """The impersonator's own login, without which this one is over."""

    def __str__(self) -> str:
        return str(self.uuid)

    def save(self, *args: object, **kwargs: object) -> None:
        if not self.sid:
            self.sid = new_sid(self.session_key)
        super().save(*args, **kwargs)  # type: ignore[arg-type]


def new_sid(session_key: str) -> str:
    """The ``sid`` of a login that begins under ``session_key``."""
    return hashlib.sha256(session_key.encode()).hexdigest()
