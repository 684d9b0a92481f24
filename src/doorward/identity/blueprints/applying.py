"""Apply a blueprint: all of it or nothing, or only to see what it would do.

    entry ─► conditions ─► model, state ─► identifiers ─► object or none ─► writing ─► what differs

All entries are tried even when one is wrong, so that everything that is wrong is told at once; then nothing is kept. A
dry run does the same and is undone: what it shows is what would happen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, ProtectedError, RestrictedError
from rest_framework.exceptions import APIException

from doorward.config.problems import Problem
from doorward.identity.api.errors import messages_of
from doorward.identity.blueprints import grants, objects, writing
from doorward.identity.blueprints.comparing import name_of
from doorward.identity.blueprints.doors import META_APPLY, Door, door_of
from doorward.identity.blueprints.errors import Follows, Unusable, Wrong
from doorward.identity.blueprints.reading import Blueprint, Entry
from doorward.identity.blueprints.refusals import problems_of
from doorward.identity.blueprints.report import Done, Outcome, Report
from doorward.identity.blueprints.scope import Scope
from doorward.identity.blueprints.tags import Tag, hint, resolved
from doorward.identity.directory.errors import Busy, Refused
from doorward.identity.events.actor import Actor
from doorward.identity.flows import way_in

STATES = ("present", "created", "must_created", "absent")
DEEPEST = 5
"""Blueprints that apply one another."""
MOST_INCLUDED = 100
"""In one application: a few that name one another many times would have no end."""
SHIPPED = ("Default - ", "System - ")
"""What authentik calls the blueprints of its default objects; every installation has these objects anyway."""

Library = Callable[[Mapping[str, Any]], Blueprint | None]
"""Finds another blueprint by ``name`` or ``path``."""


class _Undo(Exception):
    """Ends a dry run's transaction."""


def apply(
    blueprint: Blueprint,
    actor: Actor,
    *,
    dry: bool = False,
    context: Mapping[str, Any] | None = None,
    library: Library = lambda wanted: None,
) -> Report:
    """What was done, or would be. ``context`` goes before the blueprint's own. Raises Unusable.

    Whoever calls this has established that a superuser acts, or the program (S-613).
    """
    run = _Run(blueprint, actor, context or {}, library, depth=0, included=[])
    try:
        with transaction.atomic(), way_in.kept(sure=False):
            run.all()
            if run.problems:
                raise Unusable(run.problems)
            if dry:
                raise _Undo
    except _Undo:
        pass
    except Refused as refusal:
        raise Unusable([Problem(str(refusal), blueprint.file)]) from refusal
    return Report(tuple(run.done), tuple(run.warnings))


class _Run:
    def __init__(
        self,
        blueprint: Blueprint,
        actor: Actor,
        context: Mapping[str, Any],
        library: Library,
        depth: int,
        included: list[str],
    ) -> None:
        self.blueprint = blueprint
        self.actor = actor
        self.library = library
        self.depth = depth
        self.included = included  # the files of all runs of this application, not only of this one
        self.given = context
        self.scope = Scope({**blueprint.context, **context}, actor)
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.done: list[Done] = []

    def all(self) -> None:
        self.scope.expect({entry.id for entry in self.blueprint.entries if entry.id})
        for entry in self.blueprint.entries:
            instance = None
            try:
                with transaction.atomic():
                    instance = self.one(entry)
            except Follows:
                pass
            except Wrong as wrong:
                self.note(entry, wrong.message, wrong.field, wrong.line)
            except writing.Invalid as invalid:
                self.refused(entry, invalid.errors)
            except ValidationError as error:
                self.refused(entry, messages_of(error))
            except (ProtectedError, RestrictedError):
                self.note(entry, "something else still needs this object, so it cannot be removed")
            except (Refused, Busy, PermissionDenied) as error:
                self.note(entry, str(error) or "this may not be done")
            except APIException as error:
                self.refused(entry, error.detail)
            except RecursionError:
                self.note(entry, "is nested too deeply")
            self.scope.note(entry.id, instance)

    def one(self, entry: Entry) -> Model | None:
        if not all(resolved(condition, self.scope) for condition in entry.conditions):
            self.add(entry, str(entry.model), entry.id, Outcome.LEFT_OUT)
            return None
        model = resolved(entry.model, self.scope)
        if isinstance(model, str) and model.lower() == META_APPLY:
            self.include(entry)
            return None
        door = door_of(model)
        state = resolved(entry.state, self.scope)
        if state not in STATES:
            raise Wrong(f"there is no state {state!r}{hint(str(state), STATES)}", "state")
        identifiers = self.mapping(entry, "identifiers")
        if not identifiers:
            raise Wrong("identifiers are missing: by which fields is the object found again?", "identifiers")
        instance = objects.find(door, identifiers)
        if state == "absent":
            self.absent(entry, door, instance, identifiers)
            return None
        if instance is not None and state == "must_created":
            raise Wrong(f"{name_of(instance)!r} exists already, and must be made by this entry", "identifiers")
        if instance is not None and state == "created":
            self.add(entry, door.name, name_of(instance), Outcome.UNCHANGED, instance)
            return instance
        return self.present(entry, door, instance, identifiers)

    def present(self, entry: Entry, door: Door, instance: Model | None, identifiers: dict[str, Any]) -> Model:
        attrs = self.mapping(entry, "attrs")
        for field in writing.ignored(door, attrs):
            self.warn(entry, "is read over: the installation decides this", f"attrs.{field}")
        if instance is None:
            made, found = writing.create(self.actor, door, identifiers, attrs)
        else:
            made, found = writing.update(self.actor, door, instance, identifiers, attrs)
        found += grants.give(self.actor, made, resolved(entry.permissions, self.scope))
        outcome = Outcome.CREATED if instance is None else Outcome.CHANGED if found else Outcome.UNCHANGED
        self.add(entry, door.name, name_of(made), outcome, made, found)
        return made

    def absent(self, entry: Entry, door: Door, instance: Model | None, identifiers: dict[str, Any]) -> None:
        if instance is None:
            shown = ", ".join(str(value) for value in identifiers.values())
            self.add(entry, door.name, shown, Outcome.UNCHANGED)
            return
        self.add(entry, door.name, name_of(instance), Outcome.DELETED, instance)
        writing.remove(self.actor, door, instance)

    def include(self, entry: Entry) -> None:
        """Another blueprint, in the same transaction, with a scope of its own."""
        attrs = self.mapping(entry, "attrs")
        wanted = attrs.get("identifiers")
        if not isinstance(wanted, dict) or not wanted.keys() & {"name", "path"}:
            raise Wrong("needs identifiers with a name or a path", "attrs.identifiers")
        if str(wanted.get("name", "")).startswith(SHIPPED):
            return
        other = self.library(wanted)
        if other is None:
            if attrs.get("required", True):
                raise Wrong(f"there is no blueprint {wanted.get('name') or wanted.get('path')!r}", "attrs.identifiers")
            return
        if self.depth >= DEEPEST:
            raise Wrong("blueprints apply one another in a circle", "attrs.identifiers")
        if len(self.included) >= MOST_INCLUDED:
            raise Wrong(f"more than {MOST_INCLUDED} blueprints would be applied in one go", "attrs.identifiers")
        self.included.append(other.file)
        run = _Run(other, self.actor, {}, self.library, self.depth + 1, self.included)
        run.all()
        self.problems += run.problems
        self.warnings += run.warnings
        self.done += run.done

    def mapping(self, entry: Entry, part: str) -> dict[str, Any]:
        """A part of the entry as plain data; what is wrong with it knows which field it stands in."""
        values = {}
        for name, value in getattr(entry, part).items():
            try:
                values[name] = resolved(value, self.scope)
                if part == "attrs" and values[name] is None and isinstance(value, Tag) and value.name == "Find":
                    self.warn(entry, "!Find found nothing, so the field is empty", f"attrs.{name}")
            except Wrong as wrong:
                wrong.field = wrong.field or f"{part}.{name}"
                raise
        return values

    def add(
        self,
        entry: Entry,
        model: str,
        name: str,
        outcome: Outcome,
        instance: Model | None = None,
        found: tuple[Any, ...] = (),
    ) -> None:
        key = "" if instance is None else str(instance.pk)
        self.done.append(Done(entry.place, entry.line, model, name, outcome, key, found))

    def refused(self, entry: Entry, errors: Any) -> None:
        for field, message in problems_of(entry, errors, self.scope):
            self.note(entry, message, field)

    def note(self, entry: Entry, message: str, field: str = "", line: int = 0) -> None:
        self.problems.append(self.problem(entry, message, field, line))

    def warn(self, entry: Entry, message: str, field: str) -> None:
        self.warnings.append(self.problem(entry, message, field, 0))

    def problem(self, entry: Entry, message: str, field: str, line: int) -> Problem:
        where = line or entry.lines.get(field) or entry.lines.get(field.partition(".")[0]) or entry.line
        name = f" ({entry.id})" if entry.id else ""
        place = f"{entry.place}{name}" + (f".{field}" if field else "")
        return Problem(message, self.blueprint.file, where, place)
