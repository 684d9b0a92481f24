"""``permissions`` of an entry: what roles may do with its object."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model

from doorward.identity.blueprints.errors import Wrong
from doorward.identity.blueprints.report import Difference
from doorward.identity.events.actor import Actor
from doorward.identity.roles import actions
from doorward.identity.roles.models import Grant, Role


def give(actor: Actor, instance: Model, wanted: Any) -> tuple[Difference, ...]:
    """Each of ``wanted`` that the role has not yet. Raises Wrong, ValidationError."""
    found = []
    for each in wanted:
        if not isinstance(each, dict) or not isinstance(each.get("permission"), str):
            raise Wrong("each of them is a mapping of permission and role", "permissions")
        if each.get("role") is None:
            raise Wrong("only roles hold permissions here; give the user a role", "permissions")
        role, permission = _role(each["role"]), each["permission"]
        key = str(instance.pk)
        if Grant.objects.filter(role=role, permission=permission, object_pk__in=[key, ""]).exists():
            continue
        try:
            actions.assign(actor, role, [permission], key)
        except ValidationError as error:
            raise Wrong(" ".join(error.messages), "permissions") from error
        found.append(Difference(f"permissions: {permission}", None, role.name))
    return tuple(found)


def _role(key: Any) -> Role:
    try:
        return Role.objects.get(pk=key)
    except (Role.DoesNotExist, ValidationError, ValueError, TypeError):
        raise Wrong(f"there is no role {key!r}", "permissions") from None
