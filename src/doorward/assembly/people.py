"""What ``doorward users`` does: the engine of the administrators' pages, for whoever owns the state folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from doorward.assembly.django_alone import Unusable, set_up
from doorward.assembly.state_folder import StateFolder
from doorward.messages.plan import Plan

__all__ = ["Report", "Unusable", "export", "take_in"]


@dataclass(frozen=True, slots=True)
class Report:
    lines: tuple[str, ...]
    """``<line> <outcome> <user> <what>``, one for each row."""
    counted: str
    refused: bool


def take_in(plan: Plan, folder: StateFolder, text: str, *, dry: bool) -> Report:
    """Import the users in ``text``. Raises Unusable."""
    set_up(plan, folder)
    from django.db import Error

    from doorward.identity.events.actor import Actor
    from doorward.identity.people import files
    from doorward.identity.people.importing import Outcome
    from doorward.identity.people.importing import take_in as taken_in

    try:
        done = taken_in(Actor.system(), files.read(text), dry=dry)
    except files.BadFile as error:
        raise Unusable(str(error)) from error
    except Error as error:
        raise Unusable(f"the database cannot be used: {error}") from error
    numbers = Counter(each.outcome for each in done)
    return Report(
        tuple(f"{each.line}\t{each.outcome}\t{each.username}\t{each.details}".rstrip() for each in done),
        ", ".join(f"{numbers[outcome]} {outcome}" for outcome in Outcome if numbers[outcome]),
        numbers[Outcome.REFUSED] > 0,
    )


def export(plan: Plan, folder: StateFolder, kind: str) -> str:
    """All users as ``csv`` or ``json``. Raises Unusable."""
    set_up(plan, folder)
    from django.db import Error

    from doorward.identity.directory.models import User
    from doorward.identity.people import exporting, files

    write = files.write_json if kind == "json" else files.write_csv
    try:
        return write(exporting.many(User.objects.all()))
    except Error as error:
        raise Unusable(f"the database cannot be used: {error}") from error
