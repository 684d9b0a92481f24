"""Which object an entry or a ``!Find`` means: by its fields as the API calls them, or as the database does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.db.models import JSONField, Model, Q, QuerySet

from doorward.identity.blueprints.doors import Door
from doorward.identity.blueprints.errors import Wrong

MOST = 1000
"""Objects that are looked through for what a mapping holds."""


def find(door: Door, wanted: Mapping[str, Any], where: str = "identifiers") -> Model | None:
    """The first object that has all of ``wanted``, or the key ``pk``. A mapping is held by whatever contains it.

    Raises Wrong.
    """
    every, contained = Q(), {}
    alternative = None
    for field, value in wanted.items():
        if field == "pk":
            alternative = value
            continue
        try:
            column = door.column(field)
        except Wrong as wrong:
            wrong.field = f"{where}.{field}" if where else ""
            raise
        if isinstance(value, dict) or _is_json(door.model, column):
            contained[column] = value
        else:
            every &= Q(**{column: value}) if value is not None else Q(**{f"{column}__isnull": True})
    objects: QuerySet[Model] = door.model._default_manager.all()
    try:
        # What has no key of that form is simply not there: files from elsewhere carry the keys of elsewhere.
        by_key = _by_key(objects, alternative) if alternative is not None else None
        if by_key is not None or len(wanted) == (alternative is not None):
            return by_key
        found = objects.filter(every)
        if not contained:
            return found.order_by("pk").first()
        return next((each for each in found.order_by("pk")[:MOST] if _has(each, contained)), None)
    except (FieldError, ValidationError, ValueError, TypeError) as error:
        raise Wrong(f"cannot look for {dict(wanted)!r}: {_words(error)}", where) from error


def _by_key(objects: QuerySet[Model], key: Any) -> Model | None:
    try:
        return objects.filter(pk=key).first()
    except (ValidationError, ValueError, TypeError):
        return None


def _is_json(model: type[Model], column: str) -> bool:
    first = column.partition("__")[0]
    field = next((each for each in model._meta.concrete_fields if each.name == first), None)
    return isinstance(field, JSONField) and column == first


def _has(instance: Model, contained: Mapping[str, Any]) -> bool:
    return all(contains(getattr(instance, column), value) for column, value in contained.items())


def contains(whole: Any, part: Any) -> bool:
    """As PostgreSQL's ``@>`` has it: mappings key by key, lists as sets, anything else by equality."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and contains(whole[key], part[key]) for key in part)
    if isinstance(part, list) and isinstance(whole, list):
        return all(any(contains(item, wanted) for item in whole) for wanted in part)
    return bool(whole == part)


def _words(error: Exception) -> str:
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error).partition("Choices are")[0]
