"""Who is logged in, as a user or nobody."""

from __future__ import annotations

from django.http import HttpRequest

from doorward.identity.directory.models import User


def visitor(request: HttpRequest) -> User | None:
    """The logged-in user of this request."""
    user = request.user
    return user if isinstance(user, User) and user.is_authenticated else None
