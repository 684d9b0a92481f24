"""Secrets are shown to somebody who has just proved who they are, not to a browser that was left open (S-605)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from doorward.identity.directory.limits import require_unlimited
from doorward.identity.events.actor import Actor
from doorward.identity.logins.queries import current

RECENT = timedelta(minutes=15)


def require_recent_login(request: Request) -> None:
    """Raises PermissionDenied for a session whose login is older than a quarter of an hour.

    An API token passes: it was handed out for exactly such work, and has no login to repeat; a limited one was not.
    """
    require_unlimited(Actor.of(request._request))
    if request.auth is not None:
        return
    login = current(request._request)
    if login is None or login.authenticated_at is None or login.authenticated_at < timezone.now() - RECENT:
        raise PermissionDenied("Log in again to see a secret: your login is older than 15 minutes.")
