"""Make and change many users, row by row, with an outcome for each.

A dry run does everything and undoes it: what it shows is what would happen, refusals by the guard and the password
rules included. Each row is a transaction of its own, so that a refused one takes nothing with it; rows go in batches,
so that nobody who logs in meanwhile waits for the whole file.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from doorward.identity.directory import actions
from doorward.identity.directory.errors import Busy, Refused
from doorward.identity.directory.models import Group, User
from doorward.identity.directory.names import folded
from doorward.identity.events.actor import Actor
from doorward.identity.people.files import SECRET, Row
from doorward.identity.roles.queries import SUPERUSER, Powers, powers_of

BATCH = 50
"""Rows in one go, while which others who write wait."""
ADD, CHANGE = "authentik_core.add_user", "authentik_core.change_user"
RESET = "authentik_core.reset_user_password"
KINDS = (User.Type.INTERNAL, User.Type.EXTERNAL, User.Type.SERVICE_ACCOUNT)


class Outcome(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a row, or would come of it."""

    line: int
    username: str
    outcome: Outcome
    details: str = ""
    """Which columns change, or why it was refused; never a value."""


class _Undo(Exception):
    """Ends a dry run's transaction."""


def take_in(actor: Actor, rows: Sequence[Row], *, dry: bool) -> list[Done]:
    """Every row's outcome. ``actor`` without a user: whoever owns the state folder."""
    rows = list(_without_doubles(rows))
    done: list[Done] = []
    for start in range(0, len(rows), BATCH):
        batch: list[Done] = []
        try:
            with transaction.atomic():
                own = SUPERUSER if actor.user is None else powers_of(actor.user)
                groups = {group.name: group for group in Group.objects.all()}
                batch = [_one(actor, own, groups, row) for row in rows[start : start + BATCH]]
                if dry:
                    raise _Undo
        except _Undo:
            pass
        done += batch
    return done


def _without_doubles(rows: Iterable[Row]) -> Iterator[Row]:
    """A name that stands there twice is refused the second time: which of the two would be meant?"""
    seen: dict[str, int] = {}
    for row in rows:
        name = folded(row.username)
        if not row.problem and name in seen:
            yield Row(row.line, row.values, f"The same user as in line {seen[name]}.")
        else:
            seen.setdefault(name, row.line)
            yield row


def _one(actor: Actor, own: Powers, groups: dict[str, Group], row: Row) -> Done:
    problem = row.problem
    if not problem:
        try:
            with transaction.atomic():
                return _written(actor, own, groups, row)
        except ValidationError as error:
            problem = _words(error)
        except (Refused, Busy, PermissionDenied) as error:
            problem = str(error) or "You may not do that."
    return Done(row.line, row.username, Outcome.REFUSED, problem)


def _written(actor: Actor, own: Powers, groups: dict[str, Group], row: Row) -> Done:
    values = dict(row.values)
    encoded, names = values.pop(SECRET, ""), values.pop("groups", None)
    if unknown := sorted(set(names or ()) - groups.keys()):
        raise ValidationError({"groups": [_("There is no group %(names)s.") % {"names": ", ".join(unknown)}]})
    if names is not None:
        values["groups"] = [groups[name] for name in names]
    user = User.objects.filter(folded_username=folded(row.username)).first()
    # An account of the program's own keeps its kind, which nobody else gets.
    if "type" in values and values["type"] not in KINDS and not (user is not None and values["type"] == user.type):
        raise ValidationError({"type": [_("One of %(names)s.") % {"names": ", ".join(KINDS)}]})
    if user is None:
        return _created(actor, own, row, values, encoded)
    return _changed(actor, own, row, user, values, encoded)


def _created(actor: Actor, own: Powers, row: Row, values: dict[str, Any], encoded: str) -> Done:
    _require(own.may(ADD), "You may not make users.")
    made = actions.create_user(actor, **values)
    if encoded:
        _require(own.may(RESET, made.pk), "You may not set passwords.")
        actions.set_password_hash(actor, made, encoded)
    return Done(row.line, made.username, Outcome.CREATED, "with a password" if encoded else "")


def _changed(actor: Actor, own: Powers, row: Row, user: User, values: dict[str, Any], encoded: str) -> Done:
    joined = values.pop("groups", None)
    del values["username"]  # however it is spelt, it is theirs
    differing = [name for name, value in values.items() if getattr(user, name) != value]
    if joined is not None and set(joined) != set(user.groups.all()):
        differing.append("groups")
    if differing:
        _require(own.may(CHANGE, user.pk), "You may not change this user.")
        actions.update_user(actor, user, groups=joined, **values)
    if encoded and not hmac.compare_digest(encoded.encode(), user.password.encode()):
        _require(own.may(RESET, user.pk), "You may not set passwords.")
        actions.set_password_hash(actor, user, encoded)
        differing.append("password")
    outcome = Outcome.CHANGED if differing else Outcome.UNCHANGED
    return Done(row.line, user.username, outcome, ", ".join(differing))


def _require(allowed: bool, otherwise: str) -> None:
    if not allowed:
        raise PermissionDenied(otherwise)


def _words(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(
        " ".join(texts) if field == "__all__" else f"{field}: {' '.join(texts)}"
        for field, texts in error.message_dict.items()
    )
