"""Why the API refuses an entry, in the words of the file: which field, what stands there, what would be valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework.fields import ChoiceField

from doorward.config.problems import nearest
from doorward.identity.api.errors import NON_FIELD
from doorward.identity.blueprints.doors import Door, doors
from doorward.identity.blueprints.reading import Entry
from doorward.identity.blueprints.scope import Scope
from doorward.identity.blueprints.tags import Tag, resolved
from doorward.identity.events.redaction import is_secret

LONGEST_VALUE = 60
MOST_NAMES = 2000


def problems_of(entry: Entry, errors: Any, scope: Scope) -> Iterator[tuple[str, str]]:
    """Field and message of each."""
    if not isinstance(errors, Mapping):
        errors = {NON_FIELD: errors if isinstance(errors, list) else [errors]}
    door = doors().get(str(entry.model).lower())
    for name, messages in errors.items():
        field = _place(entry, name)
        raw = entry.attrs.get(name, entry.identifiers.get(name))
        for text in _flat(messages):
            yield field, f"{text}{_value(name, raw, field)}{_valid(door, name, raw, scope)}"


def _place(entry: Entry, name: str) -> str:
    if name in entry.attrs:
        return f"attrs.{name}"
    if name in entry.identifiers:
        return f"identifiers.{name}"
    return "" if name in (NON_FIELD, "detail") else f"attrs.{name}"


def _flat(messages: Any) -> Iterator[str]:
    """The texts, of nested fields with their names."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from (f"{name}: {text}" for text in _flat(inner))
    elif isinstance(messages, list | tuple):
        for inner in messages:
            yield from _flat(inner)
    else:
        yield str(messages)


def _value(name: str, raw: Any, field: str) -> str:
    if raw is None or not field or isinstance(raw, Tag) or is_secret(name):
        return ""
    shown = repr(raw)
    return f" (here: {shown if len(shown) <= LONGEST_VALUE else shown[:LONGEST_VALUE] + '…'})"


def _valid(door: Door | None, name: str, raw: Any, scope: Scope) -> str:
    if isinstance(raw, Tag) and raw.name == "Find":
        return f"; !Find found nothing{_nearest_object(raw, scope)}"
    field = door.fields().get(name) if door is not None else None
    choices = getattr(field, "child", field)
    if isinstance(choices, ChoiceField) and isinstance(raw, str | list):
        wrong = raw if isinstance(raw, str) else next((each for each in raw if each not in choices.choices), "")
        near = nearest(str(wrong), [str(each) for each in choices.choices])
        return f"; {near}" if near else ""
    return ""


def _nearest_object(find: Tag, scope: Scope) -> str:
    """What there is that looks like what was looked for."""
    try:
        model, (field, value), *_ = resolved(find.value, scope)
        door = doors()[model.lower()]
        names = door.model._default_manager.values_list(door.column(field), flat=True)[:MOST_NAMES]
        near = nearest(str(value), [str(each) for each in names])
    except Exception:  # noqa: BLE001 - only a hint
        return ""
    return f"; {near}" if near else ""
