"""Who may ask what. Everything is for superusers, unless a view says otherwise (S-601, S-613).

A view that serves more people than that narrows its queryset to what belongs to them, so that somebody else's object
is not forbidden but not there (S-602).
"""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from doorward.identity.directory.models import User


def user_of(request: Request) -> User:
    """The person or machine who asks; only behind a permission that refuses strangers."""
    assert isinstance(request.user, User)
    return request.user


def is_superuser(request: Request) -> bool:
    """Computed once per request: it walks the groups."""
    known: bool | None = getattr(request, "_is_superuser", None)
    if known is None:
        known = isinstance(request.user, User) and request.user.is_active and request.user.is_superuser
        request._is_superuser = known  # type: ignore[attr-defined]
    return known


class Everybody(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return True


class SignedIn(BasePermission):
    """Whoever has proved who they are; the view decides which objects are theirs."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, User)


class SuperuserOnly(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return is_superuser(request)


class SignedInReadsSuperuserWrites(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return isinstance(request.user, User)
        return is_superuser(request)
