"""What somebody may do: the sum of the roles that they hold, themselves and through groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.roles.models import Grant, Role

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Powers:
    """A set of permissions, for everything of a kind or for single objects."""

    everything: bool = False
    """A superuser."""
    wide: frozenset[str] = frozenset()
    narrow: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Permission → keys of the objects that it is for."""

    def may(self, permission: str | None, object_pk: object = "") -> bool:
        """``permission`` None: what only superusers may."""
        if self.everything:
            return True
        if permission is None:
            return False
        return permission in self.wide or (object_pk != "" and str(object_pk) in self.narrow.get(permission, ()))

    def may_somewhere(self, permission: str | None) -> bool:
        """For everything, or for some object."""
        return self.may(permission) or (permission is not None and bool(self.narrow.get(permission)))

    def cover(self, other: Powers) -> bool:
        """Whether whoever has these could do all that the other could: then nothing is gained by becoming them."""
        if self.everything or other.everything:
            return self.everything
        return other.wide <= self.wide and all(
            permission in self.wide or keys <= self.narrow.get(permission, frozenset())
            for permission, keys in other.narrow.items()
        )

    def narrowed(self, objects: QuerySet[M], permission: str | None) -> QuerySet[M]:
        """Those among ``objects`` that ``permission`` is held for."""
        if self.may(permission):
            return objects
        return objects.filter(pk__in=self.narrow.get(permission or "", ()))


NONE = Powers()
SUPERUSER = Powers(everything=True)


def powers_of(user: User) -> Powers:
    """Of a user, active or not. The account of an outpost administers nothing, whatever groups it is in."""
    if user.type == User.Type.INTERNAL_SERVICE_ACCOUNT:
        return NONE
    groups = user.all_groups()
    if any(group.is_superuser for group in groups):
        return SUPERUSER
    return _sum(Grant.objects.filter(Q(role__users=user) | Q(role__groups__in=[group.pk for group in groups])))


def held_by(actor: Actor) -> Powers:
    """What whoever acts may pass on, and whom they may change. Nothing, for a limited token: each of it would be a way
    to more than the token is for."""
    if actor.user is None:
        return SUPERUSER
    return NONE if actor.limits is not None else powers_of(actor.user)


def powers_given_by(groups: Iterable[Group]) -> Powers:
    """What members of these groups have through them, ancestors included."""
    found: dict[object, Group] = {}
    waiting = list(groups)
    while waiting:
        group = waiting.pop()
        if group.pk not in found:
            found[group.pk] = group
            waiting.extend(group.parents.all())
    if any(group.is_superuser for group in found.values()):
        return SUPERUSER
    return _sum(Grant.objects.filter(role__groups__in=list(found)))


def powers_in(roles: Iterable[Role]) -> Powers:
    """What these roles permit."""
    return _sum(Grant.objects.filter(role__in=[role.pk for role in roles]))


def _sum(grants: QuerySet[Grant]) -> Powers:
    wide, narrow = set(), dict[str, set[str]]()
    for permission, object_pk in grants.values_list("permission", "object_pk").distinct():
        if object_pk:
            narrow.setdefault(permission, set()).add(object_pk)
        else:
            wide.add(permission)
    return Powers(wide=frozenset(wide), narrow={permission: frozenset(keys) for permission, keys in narrow.items()})


def asking(request: HttpRequest, user: User) -> Powers:
    """``powers_of(user)`` who asks, read once per request."""
    known: tuple[int, Powers] | None = getattr(request, "_powers", None)
    if known is None or known[0] != user.pk:
        known = user.pk, powers_of(user) if user.is_active else NONE
        request._powers = known  # type: ignore[attr-defined]
    return known[1]


def roles_of(user: User) -> QuerySet[Role]:
    """The user's own and the inherited."""
    return Role.objects.filter(Q(users=user) | Q(groups__in=user.all_groups())).distinct()


def inherited_by(group: Group) -> list[Role]:
    """Roles that its members have through the group's ancestors."""
    above: dict[object, Group] = {}
    waiting = list(group.parents.all())
    while waiting:
        parent = waiting.pop()
        if parent.pk not in above:
            above[parent.pk] = parent
            waiting.extend(parent.parents.all())
    return list(Role.objects.filter(groups__in=list(above)).distinct()) if above else []
