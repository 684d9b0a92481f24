"""What every template may use: ``brand``, ``me``, ``version``, ``request_id``, ``language`` (its tag),
``languages``.

Lazy, because error pages are rendered too when there is no session, no user or no database.
"""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from doorward.identity.brands.models import Brand
from doorward.identity.brands.queries import current_brand
from doorward.identity.directory.models import User
from doorward.identity.languages.supported import OFFERED, SOURCE, tag_of


def page(request: HttpRequest) -> dict[str, object]:
    """The context processor."""
    return {
        "brand": SimpleLazyObject(_brand),
        "me": SimpleLazyObject(lambda: _me(request)),
        "version": settings.VERSION,
        "languages": OFFERED,
        "language": tag_of(get_language() or SOURCE),
        "request_id": getattr(getattr(request, "facts", None), "request_id", ""),
    }


def _brand() -> Brand:
    try:
        return current_brand()
    except DatabaseError:
        return Brand(domain="none")


def _me(request: HttpRequest) -> User | str:
    """The logged-in user; an empty text for strangers."""
    try:
        user = getattr(request, "user", None)
        return user if isinstance(user, User) and user.is_authenticated else ""
    except DatabaseError:
        return ""
