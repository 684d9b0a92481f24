"""Whether a login is good enough to change factors (S-512).

Whoever finds a browser open, or has stolen a password only, must not be able to add a factor of their own or to take
one away: the login is at most five minutes old, and it has shown a second factor if its user has one.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from django.http import HttpRequest
from django.utils import timezone

from doorward.identity.authenticators import queries
from doorward.identity.logins.queries import current

RECENT = timedelta(minutes=5)
SECOND_FACTOR = "mfa"
"""The ``amr`` value (RFC 8176) of a login or plan that has shown more than one factor."""


class Standing(Enum):
    GOOD = "good"
    NOBODY = "nobody"
    TOO_OLD = "too old"
    ONE_FACTOR = "one factor"
    """It has not shown the second factor that its user has."""


def standing(request: HttpRequest) -> Standing:
    """How the login behind ``request`` stands."""
    login = current(request)
    if login is None or login.user is None:
        return Standing.NOBODY
    if login.authenticated_at is None or login.authenticated_at <= timezone.now() - RECENT:
        return Standing.TOO_OLD
    if SECOND_FACTOR not in login.methods and queries.has_usable(login.user):
        return Standing.ONE_FACTOR
    return Standing.GOOD
