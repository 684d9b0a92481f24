"""What every template may use: ``brand``, ``look``, ``me``, ``acting``, ``administers``, ``unseen``,
``footer_links``, ``version``, ``request_id``, ``language`` (its tag), ``languages``.

Lazy, because error pages are rendered too when there is no session, no user or no database.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from doorward.identity.brands.look import Look, look_of
from doorward.identity.brands.models import Brand
from doorward.identity.brands.queries import brand_for, current_brand
from doorward.identity.directory.models import User
from doorward.identity.languages.supported import OFFERED, SOURCE, tag_of
from doorward.identity.notifications.models import Notification
from doorward.identity.roles.catalogue import ADMIN_PAGES
from doorward.identity.roles.queries import asking
from doorward.identity.system import queries as system


def page(request: HttpRequest) -> dict[str, object]:
    """The context processor."""
    brand: Any = SimpleLazyObject(_brand)  # asked for once, whoever asks
    return {
        "brand": brand,
        "look": SimpleLazyObject(lambda: drawn(request, brand)),
        "me": SimpleLazyObject(lambda: _me(request)),
        "administers": SimpleLazyObject(lambda: _administers(request)),
        "acting": SimpleLazyObject(lambda: _acting(request)),
        "unseen": SimpleLazyObject(lambda: _unseen(request)),
        "footer_links": SimpleLazyObject(_footer_links),
        "version": settings.VERSION,
        "languages": OFFERED,
        "language": tag_of(get_language() or SOURCE),
        "request_id": getattr(getattr(request, "facts", None), "request_id", ""),
    }


def branded(request: HttpRequest, origins: Iterable[str]) -> dict[str, object]:
    """Context of a page on the way to one of ``origins``: the brand of where it leads, if it has one of its own."""
    if not origins:
        return {}
    brand = brand_for(origins)
    return {"brand": brand, "look": drawn(request, brand)}


def drawn(request: HttpRequest, brand: Brand) -> Look:
    """How ``brand`` looks on the answer to ``request``, whose policy lets its pictures be fetched."""
    look = look_of(brand)
    let_pictures_in(request, look.origins)
    return look


def let_pictures_in(request: HttpRequest, origins: Iterable[str]) -> None:
    """Let the answer's policy name these origins as well."""
    known = getattr(request, "picture_origins", ())
    request.picture_origins = tuple(dict.fromkeys((*known, *origins)))  # type: ignore[attr-defined]


def _brand() -> Brand:
    try:
        return current_brand()
    except DatabaseError:
        return Brand(domain="none")


def _administers(request: HttpRequest) -> bool:
    """Whether any page of the administrators is open to ``me``."""
    try:
        user = getattr(request, "user", None)
        return isinstance(user, User) and asking(request, user).may(ADMIN_PAGES)
    except DatabaseError:
        return False


def _acting(request: HttpRequest) -> User | str:
    """Who acts as ``me`` here (S-534); an empty text for everybody who is themselves."""
    try:
        login = getattr(getattr(request, "session", None), "row", None)
        return login.impersonator if login is not None and login.impersonator_id else ""
    except DatabaseError:
        return ""


def _unseen(request: HttpRequest) -> int:
    """How many notifications ``me`` has not seen; 99 stands for more."""
    try:
        user = getattr(request, "user", None)
        if not isinstance(user, User) or not user.is_authenticated:
            return 0
        return Notification.objects.filter(user=user, seen=False)[:99].count()
    except DatabaseError:
        return 0


def _footer_links() -> list[dict[str, str]]:
    """What an administrator wants at the foot of every page: ``name``, perhaps ``href``."""
    try:
        links: list[dict[str, str]] = system.current().footer_links
        return links
    except DatabaseError:
        return []


def _me(request: HttpRequest) -> User | str:
    """The logged-in user; an empty text for strangers."""
    try:
        user = getattr(request, "user", None)
        return user if isinstance(user, User) and user.is_authenticated else ""
    except DatabaseError:
        return ""
