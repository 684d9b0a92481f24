"""Copies of what configuration is made of: model instances with the instances they hold, lists, plain values.

Whoever gets a copy may change it as they like. Anything else in an answer is refused: what is no configuration changes
without the mark, and what cannot be copied would be shared.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model
from django.db.models.base import ModelState

from doorward.identity.remembered.watched import is_watched

T = TypeVar("T")
_PLAIN = frozenset({str, int, bool, float, bytes, type(None), UUID, datetime, date, time, timedelta})


class NotConfiguration(TypeError):
    """Somebody wants to keep an object whose changes nobody would notice."""


def copied(found: T) -> T:
    """``found`` anew. Raises NotConfiguration."""
    copy: T = _copied(found, {})
    return copy


def _copied(found: Any, done: dict[int, Any]) -> Any:
    kind = type(found)
    if kind in _PLAIN:
        return found
    if kind is list:
        return [_copied(each, done) for each in found]
    if kind is tuple:
        return tuple(_copied(each, done) for each in found)
    if kind is dict:
        return {key: _copied(value, done) for key, value in found.items()}
    if id(found) in done:  # two that hold each other, such as an application and its provider
        return done[id(found)]
    if isinstance(found, Model) and is_watched(kind):
        return _instance(found, done)
    raise NotConfiguration(f"{kind.__name__} is not among what is watched for changes")


def _instance(found: Model, done: dict[int, Any]) -> Model:
    copy = done[id(found)] = type(found).__new__(type(found))
    values = copy.__dict__
    for name, value in found.__dict__.items():
        values[name] = value if type(value) in _PLAIN or name == "_state" else _copied(value, done)
    state = copy._state = ModelState()
    state.db, state.adding = found._state.db, found._state.adding
    cached: dict[str, Any] = getattr(found._state, "fields_cache", {})
    state.fields_cache = {name: _copied(value, done) for name, value in cached.items()}
    return copy
