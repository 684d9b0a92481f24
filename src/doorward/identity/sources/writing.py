"""Writes a source of any kind with its mappings: one transaction, one event, before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from django.db import transaction

from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.sources.models import Source

S = TypeVar("S", bound=Source)
_MANY = frozenset({"user_property_mappings", "group_property_mappings"})


def write(actor: Actor, source: S, fields: Mapping[str, Any], validate: Callable[[S], None], *, fresh: bool) -> S:
    """``validate`` sees the source as it would be, and raises ValidationError."""
    with transaction.atomic():
        before = {} if fresh else events.snapshot(source)
        for name, value in fields.items():
            if name not in _MANY:
                setattr(source, name, value)
        validate(source)
        source.save()
        more = {}
        for name in _MANY & fields.keys():
            related = getattr(source, name)
            former = _names(related.all())
            related.set(fields[name])
            more[name] = (former, _names(related.all()))
        if fresh:
            events.created(actor, source)
        else:
            events.updated(actor, source, before, **more)
    return source


def _names(members: Iterable[Any]) -> list[str]:
    return sorted(str(member) for member in members)
