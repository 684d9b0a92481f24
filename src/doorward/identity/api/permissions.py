"""Who may ask what. Everything is for superusers, and for whoever's roles permit it (S-601, S-613).

One table decides: what a view's action is called as a permission is ``needed``; ``roles.queries`` says who holds it.
An action that nobody named is for superusers. What somebody may not see is not there (404, S-602), what they may see
and not do is 403. A view that serves everybody narrows its queryset to what belongs to them in addition.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from doorward.identity.api.inside import Inside
from doorward.identity.directory.models import User
from doorward.identity.explain import data_plane
from doorward.identity.roles import catalogue, queries
from doorward.identity.roles.queries import Powers

M = TypeVar("M", bound=Model)
SAFE = ("GET", "HEAD", "OPTIONS")
_VERBS = {
    "list": "view",
    "retrieve": "view",
    "used_by": "view",
    "types": "view",
    "create": "add",
    "update": "change",
    "partial_update": "change",
    "destroy": "delete",
}


def user_of(request: Request) -> User:
    """The person or machine who asks; only behind a permission that refuses strangers."""
    assert isinstance(request.user, User)
    return request.user


def powers(request: Request) -> Powers:
    """What whoever asks may do, read once per request; strangers nothing."""
    if isinstance(request, Inside):
        return queries.SUPERUSER
    if not isinstance(request.user, User):
        return queries.NONE
    held = queries.asking(request._request, request.user)
    if held != queries.NONE:
        data_plane.administrator_at_work()
    return held


def is_superuser(request: Request) -> bool:
    """Whether nothing is refused."""
    return powers(request).everything


def needed(view: Any) -> str | None:
    """The permission that a view's action asks for; None where only superusers may."""
    action = getattr(view, "action", None)
    if action is None:
        need: str | None = getattr(view, "need", None)
        return need
    if action in view.needs:
        named: str | None = view.needs[action]
        return named
    return catalogue.named(_VERBS[action], view.queryset.model) if action in _VERBS else None


def visible(request: Request, objects: QuerySet[M]) -> QuerySet[M]:
    """What whoever asks may see among ``objects``."""
    return powers(request).narrowed(objects, catalogue.named("view", objects.model))


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


class Permitted(BasePermission):
    """Superusers, and whose roles permit it: for everything, or for the object that is asked for."""

    def has_permission(self, request: Request, view: Any) -> bool:
        held, need = powers(request), needed(view)
        about_one = getattr(view, "detail", False) or getattr(view, "action", None) == "list"
        return held.may_somewhere(need) if about_one else held.may(need)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        return powers(request).may(needed(view), obj.pk)


class OwnOrPermitted(BasePermission):
    """Everybody for what is theirs; for what belongs to others, as ``Permitted``. The view narrows its queryset."""

    owner = "user_id"

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, User)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        return getattr(obj, self.owner) == user_of(request).pk or powers(request).may(needed(view), obj.pk)


def own_or_visible(request: Request, objects: QuerySet[M]) -> QuerySet[M]:
    """The asker's own among ``objects``, and what they may see of others'."""
    held, view = powers(request), catalogue.named("view", objects.model)
    if held.may(view):
        return objects
    own = objects.filter(user=user_of(request))
    return own | objects.filter(pk__in=held.narrow[view]) if view in held.narrow else own  # type: ignore[index]


class OpenReads(Permitted):
    """Everybody who has logged in reads, what the view shows them; writing is as ``Permitted``."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in SAFE:
            return isinstance(request.user, User)
        return super().has_permission(request, view)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        return request.method in SAFE or super().has_object_permission(request, view, obj)


def require(request: Request, permission: str | None, object_pk: object = "") -> None:
    """Raises PermissionDenied."""
    if not powers(request).may(permission, object_pk):
        raise PermissionDenied


def require_seen(request: Request, instance: M, verb: str = "view") -> M:
    """``instance``, if whoever asks may see it. Raises Http404."""
    if not powers(request).may(catalogue.named(verb, type(instance)), instance.pk):
        raise Http404
    return instance
