"""Login sessions at the identity provider (authentik's AuthenticatedSession)."""

from __future__ import annotations

import uuid

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from doorward.identity.directory.models import User


class LoginSession(AbstractBaseSession):
    """A browser's server-side session. ``session_key`` is the SHA-256 (hex) of the cookie's value, never the value.

    ``user`` is set once somebody logged in; strangers in the middle of a flow have a row without one. ``sid`` of
    issued tokens is ``session_key`` hashed once more.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="login_sessions")
    last_ip = models.GenericIPAddressField(null=True)
    last_user_agent = models.TextField(blank=True, default="")
    last_used = models.DateTimeField(auto_now=True)
    authenticated_at = models.DateTimeField(null=True)
    """When the user last proved who they are (``auth_time``)."""

    def __str__(self) -> str:
        return str(self.uuid)
