"""Makes of an arrival what ``matching`` has decided: connections, groups, and for synchronised sources the user.

Whoever comes by a browser goes through a flow; the stages that make or log in the user call ``settle`` there, in the
same transaction. A directory that is read at intervals calls ``adopt`` instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from msgspec import structs

from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import User
from doorward.identity.directory.notices import user_written
from doorward.identity.directory.users import lock
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.sources import membership
from doorward.identity.sources.arrival import Arrival
from doorward.identity.sources.matching import Deny, Enrol, Link, LogIn, Prove, decide
from doorward.identity.sources.models import Source, UserSourceConnection

CORE = "authentik.core"


class NotSettled(Exception):
    """The arrival leads to nobody (any more); ``reason`` is for administrators, the text for the visitor."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def source_of(arrival: Arrival) -> Source:
    """Raises NotSettled once the source is gone or disabled, whatever was begun with it before (S-526)."""
    source = Source.objects.filter(pk=arrival.source, enabled=True).first()
    if source is None:
        raise NotSettled(_("This way to log in is closed."), f"The source “{arrival.slug}” was disabled or deleted.")
    return source


def settle(actor: Actor, arrival: Arrival, user: User) -> UserSourceConnection:
    """``user`` is who arrived: connect them where that was decided, and put them into their groups.

    Raises NotSettled. Does the same twice without harm.
    """
    with transaction.atomic():
        source = source_of(arrival)
        lock(user)
        found = UserSourceConnection.objects.filter(source=source, identifier=arrival.identifier).first()
        if found is None:
            found = _connect(actor, source, arrival, user)
        elif found.user_id != user.pk:
            raise NotSettled(
                _("That account is connected to somebody else here."), f"It is connected to “{found.user}”."
            )
        UserSourceConnection.objects.filter(pk=found.pk).update(last_used=timezone.now())
        if arrival.groups is not None:
            membership.sync(actor, source, user, arrival.groups)
    return found


def connect_own(actor: Actor, arrival: Arrival, user: User) -> None:
    """The user connects an account of theirs; nobody does it for them (S-534). Raises NotSettled."""
    with transaction.atomic():
        user_written.send(UserSourceConnection, actor=actor, user=user)
        settle(actor, arrival, user)


def _connect(actor: Actor, source: Source, arrival: Arrival, user: User) -> UserSourceConnection:
    if arrival.known == "connected":
        raise NotSettled(_("This account is not connected any more."), "The connection was removed a moment ago.")
    if arrival.known == "linking" and arrival.user != user.pk:
        raise NotSettled(_("This is not the account that was to be connected."), "Another user has logged in.")
    try:
        with transaction.atomic():
            connection = UserSourceConnection.objects.create(source=source, user=user, identifier=arrival.identifier)
    except IntegrityError as error:
        raise NotSettled(
            _("Your account is connected to another one at %(source)s.") % {"source": source.name},
            f"“{user}” has another connection to “{source}”, or somebody else was faster.",
        ) from error
    events.record("source_linked", CORE, replace(actor, user=user), source=source, identifier=arrival.identifier)
    return connection


def unlink(actor: Actor, connection: UserSourceConnection) -> None:
    """End a connection: its user cannot log in through it any more, and stays in their groups."""
    with transaction.atomic():
        user_written.send(UserSourceConnection, actor=actor, user=connection.user)
        events.deleted(actor, connection)
        connection.delete()


def adopt(actor: Actor, source: Source, arrival: Arrival, *, names_are_fixed: bool = False) -> User | None:
    """Bring the user of a directory that is read as a whole up to date: found or made, connected, in their groups.

    None where nobody is to be changed: somebody has the name or address already and the mode does not link them, they
    would have to prove that they are meant, or they are deactivated. Raises ValidationError, NotSettled.
    """
    with transaction.atomic():
        match decide(source, arrival, names_are_fixed=names_are_fixed):
            case LogIn(user):
                arrival = structs.replace(arrival, known="connected", user=user.pk)
                user = _refreshed(actor, user, arrival)
            case Link(user):
                arrival = structs.replace(arrival, known="linking", user=user.pk)
                user = _refreshed(actor, user, arrival)
            case Enrol():
                user = _made(actor, source, arrival)
            case Deny() | Prove():
                return None
        settle(actor, arrival, user)
    return user


def _made(actor: Actor, source: Source, arrival: Arrival) -> User:
    if not arrival.username:
        raise ValidationError({"username": [_("The source names no user name.")]})
    return directory.create_user(
        replace(actor, user=None),
        username=arrival.username,
        name=arrival.name,
        email=arrival.email,
        path=source.user_path,
        attributes=dict(arrival.attributes),
    )


def _refreshed(actor: Actor, user: User, arrival: Arrival) -> User:
    """What the source says about name, address and attributes holds; a user name that changed there changes here."""
    wanted = {"username": arrival.username, "name": arrival.name, "email": arrival.email}
    changes: dict[str, Any] = {
        field: value for field, value in wanted.items() if value and value != getattr(user, field)
    }
    attributes = {**user.attributes, **arrival.attributes}
    if attributes != user.attributes:
        changes["attributes"] = attributes
    return directory.update_user(replace(actor, user=None), user, **changes) if changes else user
