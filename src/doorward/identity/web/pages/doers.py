"""Who may do what with one object, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Model, Q

from doorward.identity.roles.catalogue import PERMISSIONS, kind_of
from doorward.identity.roles.models import Grant, Role


@dataclass(frozen=True, slots=True)
class Doer:
    """A role, and what it permits here."""

    role: Role
    words: tuple[str, ...]
    for_all: bool
    """Whether any of it is for everything of the kind."""


def who_may(shown: Model) -> list[Doer]:
    """The roles with a permission for this object, or for all of its kind. Superusers may everything anyway."""
    kind = kind_of(type(shown))
    names = [name for name, permission in PERMISSIONS.items() if permission.kind is kind]
    grants = Grant.objects.filter(Q(object_pk="") | Q(object_pk=str(shown.pk)), permission__in=names)
    found: dict[Role, list[Grant]] = {}
    for grant in grants.select_related("role").order_by("role__name", "permission"):
        found.setdefault(grant.role, []).append(grant)
    return [
        Doer(
            role,
            tuple(dict.fromkeys(PERMISSIONS[grant.permission].words for grant in held)),
            any(not grant.object_pk for grant in held),
        )
        for role, held in found.items()
    ]
