"""The writes about groups; ``directory.actions`` is the face through which other rooms call them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from doorward.identity.directory import names, queries
from doorward.identity.directory.models import Group, User
from doorward.identity.directory.notices import (
    attributes_changed,
    group_written,
    groups_given,
    groups_taken,
    rights_changed,
    subject_leaving,
    user_written,
)
from doorward.identity.directory.users import lock, require_a_superuser
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor

_EDITABLE = frozenset({"name", "is_superuser", "attributes"})


def create_group(
    actor: Actor,
    *,
    name: str,
    parents: Iterable[Group] = (),
    users: Iterable[User] = (),
    **fields: object,
) -> Group:
    """Create a group. ``fields``: is_superuser, attributes. Raises ValidationError."""
    _refuse_unknown(fields)
    group = Group(name=name)
    for field, value in fields.items():
        setattr(group, field, value)
    above, joined = list(parents), list(users)
    with transaction.atomic():
        group_written.send(Group, actor=actor, group=group, parents=above, is_superuser=group.is_superuser)
        _validate(group)
        group.save(force_insert=True)
        group.parents.set(above)
        _ask_about_members(actor, group, joined=joined)
        group.users.set(joined)
        events.created(actor, group)
        attributes_changed.send(Group, before={}, after=group.attributes)
        if joined:
            rights_changed.send(Group, users=joined)
    return group


def update_group(
    actor: Actor,
    group: Group,
    *,
    parents: Collection[Group] | None = None,
    users: Collection[User] | None = None,
    **changes: object,
) -> Group:
    """Change a group, its parents or its direct members. Raises ValidationError, Refused (S-621)."""
    _refuse_unknown(changes)
    with transaction.atomic():
        had_superuser = queries.a_superuser_exists()
        affected = {user.pk: user for user in queries.members(group)}
        before = events.snapshot(group)
        former_parents, former_users = list(group.parents.all()), list(group.users.all())
        new_parents = [] if parents is None else [parent for parent in parents if parent not in former_parents]
        group_written.send(
            Group,
            actor=actor,
            group=group,
            parents=new_parents,
            is_superuser=group.is_superuser or changes.get("is_superuser", False),
        )
        for field, value in changes.items():
            setattr(group, field, value)
        _validate(group)
        group.save()
        if parents is not None:
            _refuse_circle(group, parents)
            group.parents.set(parents)
        if users is not None:
            _ask_about_members(
                actor,
                group,
                joined=[user for user in users if user not in former_users],
                left=[user for user in former_users if user not in users],
            )
            group.users.set(users)
        require_a_superuser(had_superuser)
        changed = events.updated(
            actor,
            group,
            before,
            parents=(_names(former_parents), _names(group.parents.all())),
            users=(_usernames(former_users), _usernames(group.users.all())),
        )
        if group.attributes != before["attributes"]:
            attributes_changed.send(Group, before=before["attributes"], after=group.attributes)
        if changed:
            affected.update({user.pk: user for user in queries.members(group)})
            rights_changed.send(Group, users=list(affected.values()))
    return group


def delete_group(actor: Actor, group: Group) -> None:
    """Delete a group; its members stay. Raises Refused (S-621), also when something would then be open to all."""
    with transaction.atomic():
        had_superuser = queries.a_superuser_exists()
        group_written.send(Group, actor=actor, group=group, parents=[], is_superuser=group.is_superuser)
        affected = queries.members(group)
        subject_leaving.send(Group, subject=group)
        events.deleted(actor, group)
        group.delete()
        require_a_superuser(had_superuser)
        rights_changed.send(Group, users=affected)


def add_member(actor: Actor, group: Group, user: User) -> None:
    """Put a user into a group; nothing happens if they are in it."""
    with transaction.atomic():
        lock(user)
        if not group.users.filter(pk=user.pk).exists():
            _ask_about_members(actor, group, joined=[user])
            group.users.add(user)
            events.updated(actor, group, events.snapshot(group), users=([], [user.username]))
            rights_changed.send(Group, users=[user])


def remove_member(actor: Actor, group: Group, user: User) -> None:
    """Take a user out of a group. Raises Refused for the last superuser (S-621)."""
    with transaction.atomic():
        lock(user)
        had_superuser = queries.a_superuser_exists()
        if group.users.filter(pk=user.pk).exists():
            _ask_about_members(actor, group, left=[user])
            group.users.remove(user)
            require_a_superuser(had_superuser)
            events.updated(actor, group, events.snapshot(group), users=([user.username], []))
            rights_changed.send(Group, users=[user])


def _ask_about_members(actor: Actor, group: Group, *, joined: Iterable[User] = (), left: Iterable[User] = ()) -> None:
    """Whether the actor may do that to these people, with this group (S-603)."""
    for users, notice in ((list(joined), groups_given), (list(left), groups_taken)):
        for user in users:
            user_written.send(User, actor=actor, user=user)
        if users:
            notice.send(Group, actor=actor, groups=[group])


def _validate(group: Group) -> None:
    names.require_plain(group.name, "name")
    if not group.name.strip():
        raise ValidationError({"name": [_("A group has a name.")]})
    names.require_storable(group.attributes, "attributes")
    if not isinstance(group.attributes, dict):
        raise ValidationError({"attributes": [_("Attributes are a JSON object.")]})
    if Group.objects.filter(name=group.name).exclude(pk=group.pk).exists():
        raise ValidationError({"name": [_("There is a group of this name.")]})


def _refuse_circle(group: Group, parents: Iterable[Group]) -> None:
    below = {member.pk for member in queries.with_descendants([group])}
    if any(parent.pk in below for parent in parents):
        raise ValidationError({"parents": [_("A group cannot be its own ancestor.")]})


def _refuse_unknown(fields: dict[str, object]) -> None:
    if unknown := fields.keys() - _EDITABLE:
        raise TypeError(f"a group has no {', '.join(sorted(unknown))}")


def _names(groups: Iterable[Group]) -> list[str]:
    return sorted(group.name for group in groups)


def _usernames(users: Iterable[User]) -> list[str]:
    return sorted(user.username for user in users)
