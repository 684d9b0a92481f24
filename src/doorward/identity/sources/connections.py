"""Who and what here is known to a source by which identifier, written by an administrator instead of by a login.

Saying that somebody there is somebody here lets them in as that person, or into that group: it needs the right on both
ends (S-603), and a connection is for its user or group for good. Nobody connects an account that may do more than they
may themselves, or a group that gives more than they hold (``roles.guard``).
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from doorward.identity.directory.models import Group, User
from doorward.identity.directory.notices import groups_given, user_written
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.sources.mapping import LONGEST_IDENTIFIER
from doorward.identity.sources.models import GroupSourceConnection, Source, UserSourceConnection

CONNECTABLE = (User.Type.INTERNAL, User.Type.EXTERNAL, User.Type.SERVICE_ACCOUNT)
"""A service account's programs come with tokens of the source (``oauth2.federation``); no browser becomes one
(``entry``)."""


def connect(actor: Actor, source: Source, user: User, identifier: str) -> UserSourceConnection:
    """Whoever has ``identifier`` at ``source`` is ``user`` from now on.

    Raises ValidationError, PermissionDenied.
    """
    if user.type not in CONNECTABLE:
        raise ValidationError({"user": [_("This account cannot be connected.")]})
    if UserSourceConnection.objects.filter(source=source, user=user).exists():
        raise ValidationError({"user": [_("They are connected to this source already.")]})
    made = UserSourceConnection(source=source, user=user)
    with transaction.atomic():
        user_written.send(UserSourceConnection, actor=actor, user=user)
        _identify(made, identifier)
        made.save()
        events.created(actor, made)
    return made


def reidentify(actor: Actor, connection: UserSourceConnection, identifier: str) -> UserSourceConnection:
    """The user has another identifier there. Raises ValidationError, PermissionDenied."""
    with transaction.atomic():
        user_written.send(UserSourceConnection, actor=actor, user=connection.user)
        before = events.snapshot(connection)
        _identify(connection, identifier)
        connection.save()
        events.updated(actor, connection, before)
    return connection


def connect_group(actor: Actor, source: Source, group: Group, identifier: str) -> GroupSourceConnection:
    """Whoever is in ``identifier`` at ``source`` is in ``group`` from their next login on.

    Raises ValidationError, PermissionDenied.
    """
    made = GroupSourceConnection(source=source, group=group)
    with transaction.atomic():
        groups_given.send(GroupSourceConnection, actor=actor, groups=[group])
        _identify(made, identifier)
        made.save()
        events.created(actor, made)
    return made


def reidentify_group(actor: Actor, connection: GroupSourceConnection, identifier: str) -> GroupSourceConnection:
    """The group is another one there. Raises ValidationError, PermissionDenied."""
    with transaction.atomic():
        groups_given.send(GroupSourceConnection, actor=actor, groups=[connection.group])
        before = events.snapshot(connection)
        _identify(connection, identifier)
        connection.save()
        events.updated(actor, connection, before)
    return connection


def disconnect_group(actor: Actor, connection: GroupSourceConnection) -> None:
    """Its members stay; the source says nothing about it any more."""
    with transaction.atomic():
        events.deleted(actor, connection)
        connection.delete()


def _identify(connection: UserSourceConnection | GroupSourceConnection, identifier: str) -> None:
    if not identifier or len(identifier) > LONGEST_IDENTIFIER:
        raise ValidationError({"identifier": [_("Not empty, and at most 1024 characters.")]})
    others = type(connection)._default_manager.filter(source=connection.source_id, identifier=identifier)
    if others.exclude(pk=connection.pk).exists():
        raise ValidationError({"identifier": [_("Somebody else is known to the source by this identifier.")]})
    connection.identifier = identifier
