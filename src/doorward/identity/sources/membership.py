"""Upstream groups to groups: whoever comes from a source is in those groups here that it names for them.

A group is known by a ``GroupSourceConnection``; a new identifier is matched by name as the source's mode says. No
name from outside ever leads into a group that gives rights here: such a group has to be connected by hand. Only groups
that are connected to the source are taken away.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction

from doorward.identity.directory import actions as directory
from doorward.identity.directory.errors import Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.roles.queries import NONE, powers_given_by
from doorward.identity.sources.arrival import UpstreamGroup
from doorward.identity.sources.models import GroupSourceConnection, Source


def sync(actor: Actor, source: Source, user: User, upstream: Iterable[UpstreamGroup]) -> None:
    """Put ``user`` into the groups that the source names, and out of its others. To be called in a transaction."""
    actor = Actor(None, actor.client_ip, actor.request_id)
    wanted = {group.pk: group for each in upstream if (group := connected(actor, source, each)) is not None}
    theirs = Group.objects.filter(source_connections__source=source, users=user).distinct()
    for group in theirs.exclude(pk__in=list(wanted)):
        try:
            directory.remove_member(actor, group, user)
        except Refused as error:  # the last superuser stays one
            _warn(source, group.name, str(error))
    for group in wanted.values():
        directory.add_member(actor, group, user)


def connected(actor: Actor, source: Source, upstream: UpstreamGroup) -> Group | None:
    """The group here, made or connected where the source's mode allows it; None, and an event, where it does not."""
    connection = (
        GroupSourceConnection.objects.filter(source=source, identifier=upstream.identifier)
        .select_related("group")
        .first()
    )
    if connection is not None:
        return connection.group
    existing = Group.objects.filter(name=upstream.name).first()
    if existing is not None and source.group_matching_mode != Source.GroupMatching.NAME_LINK:
        _warn(source, upstream.name, "There is a group of this name already, and it is not connected to the source.")
        return None
    if existing is not None and not NONE.cover(powers_given_by([existing])):
        _warn(source, upstream.name, "The group of this name gives rights, so it has to be connected by hand.")
        return None
    try:
        with transaction.atomic():
            group = existing or directory.create_group(actor, name=upstream.name, attributes=dict(upstream.attributes))
    except ValidationError as error:
        _warn(source, upstream.name, " ".join(error.messages))
        return None
    events.created(
        actor, GroupSourceConnection.objects.create(source=source, group=group, identifier=upstream.identifier)
    )
    return group


def _warn(source: Source, group: str, message: str) -> None:
    events.record(
        "configuration_warning", "authentik.core", Actor.system(), source=source, group=group, message=message
    )
