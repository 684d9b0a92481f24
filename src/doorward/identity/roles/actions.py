"""Writes about roles. Nobody gives what they do not hold, to nobody, by no way round (S-603)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import UUIDField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorward.identity.directory import names
from doorward.identity.directory.models import Group, User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.roles.catalogue import PERMISSIONS, Permission, is_reserved, model_of
from doorward.identity.roles.guard import require_covered, require_not_above
from doorward.identity.roles.models import Grant, Role
from doorward.identity.roles.queries import Powers, held_by, powers_in

CHANGE = "authentik_rbac.change_role"
ASSIGN = "authentik_rbac.assign_role_permissions"
UNASSIGN = "authentik_rbac.unassign_role_permissions"
GIVES_MORE = gettext_noop("The role “%(name)s” permits more than you may do yourself.")


def create_role(actor: Actor, *, name: str) -> Role:
    """A role that permits nothing yet. Raises ValidationError."""
    role = Role(name=name)
    with transaction.atomic():
        _validate(role)
        role.save(force_insert=True)
        events.created(actor, role)
    return role


def rename_role(actor: Actor, role: Role, name: str) -> Role:
    """Raises ValidationError, PermissionDenied."""
    with transaction.atomic():
        _require_covered(actor, role)
        before = events.snapshot(role)
        role.name = name
        _validate(role)
        role.save()
        events.updated(actor, role, before)
    return role


def delete_role(actor: Actor, role: Role) -> None:
    """Raises PermissionDenied."""
    with transaction.atomic():
        _require_covered(actor, role)
        events.deleted(actor, role)
        role.delete()


def assign(actor: Actor, role: Role, permissions: Iterable[str], object_pk: str = "") -> list[Grant]:
    """Permit more: for one object, or for all of the kind. Raises ValidationError, PermissionDenied."""
    with transaction.atomic():
        Role.objects.select_for_update().get(pk=role.pk)
        own = _require_covered(actor, role, ASSIGN)
        grants = []
        for name in permissions:
            key = _key(_known(name), object_pk)
            if not own.may(name, key):
                raise PermissionDenied(_("You do not hold %(permission)s yourself.") % {"permission": name})
            grant, new = Grant.objects.get_or_create(role=role, permission=name, object_pk=key)
            grants.append(grant)
            if new:
                events.updated(actor, role, events.snapshot(role), permissions=([], [str(grant)]))
    return grants


def unassign(actor: Actor, role: Role, permissions: Iterable[str], object_pk: str = "") -> None:
    """Permit less; what the role did not permit anyway is no error. Raises ValidationError, PermissionDenied."""
    with transaction.atomic():
        _require_covered(actor, role, UNASSIGN)
        for name in permissions:
            key = _key(_known(name), object_pk, must_exist=False)
            grant = Grant.objects.filter(role=role, permission=name, object_pk=key).first()
            if grant is not None:
                events.updated(actor, role, events.snapshot(role), permissions=([str(grant)], []))
                grant.delete()


def add_user(actor: Actor, role: Role, user: User) -> None:
    """Raises PermissionDenied."""
    with transaction.atomic():
        _require_covered(actor, role, CHANGE)
        require_not_above(actor, user)
        if not role.users.filter(pk=user.pk).exists():
            role.users.add(user)
            events.updated(actor, role, events.snapshot(role), users=([], [user.username]))


def remove_user(actor: Actor, role: Role, user: User) -> None:
    """Raises PermissionDenied."""
    with transaction.atomic():
        _require_covered(actor, role, CHANGE)
        require_not_above(actor, user)
        if role.users.filter(pk=user.pk).exists():
            role.users.remove(user)
            events.updated(actor, role, events.snapshot(role), users=([user.username], []))


def add_group(actor: Actor, role: Role, group: Group) -> None:
    """All members of the group, and of those below it, hold the role. Raises PermissionDenied."""
    with transaction.atomic():
        require_covered(_require_covered(actor, role, CHANGE), [group])
        if not role.groups.filter(pk=group.pk).exists():
            role.groups.add(group)
            events.updated(actor, role, events.snapshot(role), groups=([], [group.name]))


def remove_group(actor: Actor, role: Role, group: Group) -> None:
    """Raises PermissionDenied."""
    with transaction.atomic():
        require_covered(_require_covered(actor, role, CHANGE), [group])
        if role.groups.filter(pk=group.pk).exists():
            role.groups.remove(group)
            events.updated(actor, role, events.snapshot(role), groups=([group.name], []))


def set_roles_of_user(actor: Actor, user: User, roles: Iterable[Role]) -> None:
    """Exactly these, as a user's own. Raises PermissionDenied."""
    wanted, former = set(roles), set(user.roles.all())
    with transaction.atomic():
        for role in wanted - former:
            add_user(actor, role, user)
        for role in former - wanted:
            remove_user(actor, role, user)


def set_roles_of_group(actor: Actor, group: Group, roles: Iterable[Role]) -> None:
    """Exactly these, as a group's own. Raises PermissionDenied."""
    wanted, former = set(roles), set(group.roles.all())
    with transaction.atomic():
        for role in wanted - former:
            add_group(actor, role, group)
        for role in former - wanted:
            remove_group(actor, role, group)


def _require_covered(actor: Actor, role: Role, permission: str | None = None) -> Powers:
    """What the actor may do, which is all that the role permits, and ``permission`` for it."""
    own = held_by(actor)
    if permission is not None and not own.may(permission, role.pk):
        raise PermissionDenied(
            _("You do not hold %(permission)s for the role “%(role)s”.") % {"permission": permission, "role": role}
        )
    if not own.cover(powers_in([role])):
        raise PermissionDenied(_(GIVES_MORE) % {"name": role})
    return own


def _known(name: str) -> Permission:
    if permission := PERMISSIONS.get(name):
        return permission
    if is_reserved(name):
        raise ValidationError(
            {
                "permissions": [
                    _("%(name)s stays with superusers: whoever has it could log in as anybody.") % {"name": name}
                ]
            }
        )
    raise ValidationError({"permissions": [_("There is no permission %(name)s.") % {"name": name}]})


def _key(permission: Permission, object_pk: str, *, must_exist: bool = True) -> str:
    """The object's key in the one spelling that grants have."""
    if not object_pk:
        return ""
    model = model_of(permission.kind)
    if model is None or permission.codename.startswith("add_"):
        raise ValidationError({"object_pk": [_("%(name)s is not about single objects.") % {"name": permission.name}]})
    try:
        field: Any = model._meta.pk
        while field.remote_field is not None:  # a child's key is its parent's
            field = field.target_field
        key = str(UUID(object_pk)) if isinstance(field, UUIDField) else str(int(object_pk))
        if must_exist:
            model._default_manager.get(pk=key)
    except (ValueError, OverflowError, ObjectDoesNotExist):
        raise ValidationError(
            {"object_pk": [_("There is nothing of this key: %(kind)s.") % {"kind": permission.kind.words}]}
        ) from None
    return key


def _validate(role: Role) -> None:
    names.require_plain(role.name, "name")
    if not role.name.strip():
        raise ValidationError({"name": [_("A role has a name.")]})
    if Role.objects.filter(name=role.name).exclude(pk=role.pk).exists():
        raise ValidationError({"name": [_("There is a role of this name.")]})
