"""One entry's object: made, changed or removed through the door of the API, and what differs afterwards.

What is there already is not written, so that nothing is an event the second time (C18). A write that turns out to
change nothing, because the object's own rules put the value into another form, is undone with all it left behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Model

from doorward.identity.blueprints.comparing import differences, hidden_value, intended, values_of
from doorward.identity.blueprints.doors import Door
from doorward.identity.blueprints.errors import Wrong
from doorward.identity.blueprints.extras import MADE_OTHERWISE, ONE_OF_MANY, OTHER_NAMES, Extra
from doorward.identity.blueprints.report import Difference
from doorward.identity.blueprints.tags import hint
from doorward.identity.events.actor import Actor
from doorward.identity.events.redaction import REDACTED

Written = tuple[Model, tuple[Difference, ...]]


class Invalid(Exception):
    """The API refuses the data; ``errors`` are its messages by field."""

    def __init__(self, errors: Any) -> None:
        super().__init__("invalid")
        self.errors = errors


def create(actor: Actor, door: Door, identifiers: Mapping[str, Any], attrs: Mapping[str, Any]) -> Written:
    """A new object. Raises Invalid, Wrong, and what the API's actions raise."""
    if set(identifiers) == {"pk"}:
        raise Wrong("there is no object of this key, and keys cannot be chosen; name it by its fields", "identifiers")
    data, extras = _split(door, {name: value for name, value in identifiers.items() if name != "pk"} | dict(attrs))
    for name in identifiers:
        if name != "pk" and name not in data and name not in extras:
            raise Wrong(f"no object has it, and a new one cannot be given {name!r}", f"identifiers.{name}")
    serializer: Any = door.serializer(actor, "create", data=data)
    if not serializer.is_valid():
        raise Invalid(serializer.errors)
    with transaction.atomic():
        serializer.context["view"].perform_create(serializer)
        made = door.model._default_manager.get(pk=serializer.instance.pk)
        more = _write_extras(actor, door, made, extras)
        after = {name: value for name, value in values_of(door, made).items() if name in data}
        return made, (*differences(door, {}, after), *more)


def update(
    actor: Actor, door: Door, instance: Model, identifiers: Mapping[str, Any], attrs: Mapping[str, Any]
) -> Written:
    """The object as the entry says; fields that it does not name stay. Raises as ``create``."""
    data, extras = _split(door, attrs)
    fields = door.fields()
    for name, value in identifiers.items():
        # What was matched by what it contains is not to be replaced by that part.
        if name in fields and name not in data and not isinstance(value, dict):
            data[name] = value
    serializer: Any = door.serializer(actor, "partial_update", instance, data=data, partial=True)
    if not serializer.is_valid():
        raise Invalid(serializer.errors)
    _drop_known_secrets(door, instance, serializer.validated_data)
    before = values_of(door, instance)
    found: tuple[Difference, ...] = ()
    with transaction.atomic():
        wanted = intended(door, serializer.validated_data)
        if any(before.get(name) != value for name, value in wanted.items()):
            with transaction.atomic():
                serializer.context["view"].perform_update(serializer)
                instance = door.model._default_manager.get(pk=instance.pk)
                found = differences(door, before, values_of(door, instance))
                if not found:
                    transaction.set_rollback(True)
        return instance, (*found, *_write_extras(actor, door, instance, extras))


def remove(actor: Actor, door: Door, instance: Model) -> None:
    """Raises what the API's actions raise."""
    door.view(actor, "destroy").perform_destroy(instance)


def ignored(door: Door, attrs: Mapping[str, Any]) -> list[str]:
    """Fields that are read over: the installation decides what they say."""
    return sorted(MADE_OTHERWISE.get(door.name, frozenset()) & attrs.keys())


def _split(door: Door, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the API takes, and what only blueprints have. Raises Wrong for what is neither."""
    fields, extras = door.fields(), door.extras
    skipped, others = MADE_OTHERWISE.get(door.name, frozenset()), OTHER_NAMES.get(door.name, {})
    several = ONE_OF_MANY.get(door.name, {})
    data, more = {}, {}
    for raw_name, value in given.items():
        name = others.get(raw_name, raw_name)
        if name in extras:
            if problem := extras[name].check(value):
                raise Wrong(problem, f"attrs.{name}")
            more[name] = value
        elif name in several:
            data[several[name]] = [] if value is None else [value]
        elif name in fields:
            data[name] = value
        elif name not in skipped and not _is_matched_only(door, name):
            raise Wrong(f"{door.name} has no field {name!r}{hint(name, {*fields, *extras})}", f"attrs.{name}")
    return data, more


def _is_matched_only(door: Door, name: str) -> bool:
    """What an object can be found by and not given."""
    return name == "managed" or "__" in name


def _drop_known_secrets(door: Door, instance: Model, validated: dict[str, Any]) -> None:
    """A secret that the object has already would be sealed anew, and be a change that nobody made."""
    for name, field in door.described().items():
        if field.write_only and field.source in validated:
            known = hidden_value(door, name, instance)
            given = validated[field.source]
            if known is not None and _stripped(known) == _stripped(given):
                del validated[field.source]


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _write_extras(actor: Actor, door: Door, instance: Model, given: Mapping[str, Any]) -> tuple[Difference, ...]:
    found = []
    for name, value in given.items():
        extra: Extra = door.extras[name]
        if extra.is_so(instance, value):
            continue
        shown = extra.shown(instance)
        extra.write(actor, instance, value)
        stars = (shown and REDACTED, REDACTED) if extra.is_secret else (shown, value)
        found.append(Difference(name, *stars))
    return tuple(found)
