"""Who is logged in, as a user or nobody."""

from __future__ import annotations

from django.http import HttpRequest

from doorward.identity.directory.models import User
from doorward.identity.logins.queries import current


def visitor(request: HttpRequest) -> User | None:
    """The logged-in user of this request. A plain object where there is one: ``request.user`` is a lazy stand-in."""
    user = request.user
    if not (isinstance(user, User) and user.is_authenticated):
        return None
    login = current(request)
    return login.user if login is not None and login.user is not None and login.user.pk == user.pk else user
