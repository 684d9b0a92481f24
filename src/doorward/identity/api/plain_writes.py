"""Writes about objects whose room has no rules beyond the model's own: flows, stages, their bindings, brands, scopes.

Each is one transaction with one event; the model's constraints are asked first, so that a violation is a message
about a field and not a failure of the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model

from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor

M = TypeVar("M", bound=Model)


def create(actor: Actor, model: type[M], fields: Mapping[str, Any]) -> M:
    """Raises ValidationError."""
    columns, related = _split(model, fields)
    instance = model(**columns)
    with transaction.atomic():
        _validate(instance)
        instance.save(force_insert=True)
        for name, members in related.items():
            getattr(instance, name).set(members)
        events.created(actor, instance)
    return instance


def update(actor: Actor, instance: M, changes: Mapping[str, Any]) -> M:
    """Raises ValidationError."""
    columns, related = _split(type(instance), changes)
    with transaction.atomic():
        before = events.snapshot(instance)
        for name, value in columns.items():
            setattr(instance, name, value)
        _validate(instance)
        instance.save()
        more = {}
        for name, members in related.items():
            former = _names(getattr(instance, name).all())
            getattr(instance, name).set(members)
            more[name] = (former, _names(members))
        events.updated(actor, instance, before, **more)
    return instance


def delete(actor: Actor, instance: Model) -> None:
    """Raises ProtectedError while something that must have it refers to it."""
    with transaction.atomic():
        events.deleted(actor, instance)
        instance.delete()


def _split(model: type[Model], fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Own columns, and lists of related objects, which can be written when the object is there."""
    many = {field.name for field in model._meta.many_to_many}
    return (
        {name: value for name, value in fields.items() if name not in many},
        {name: value for name, value in fields.items() if name in many},
    )


def _names(members: Iterable[Model]) -> list[str]:
    return sorted(str(member) for member in members)


def _validate(instance: Model) -> None:
    """``full_clean``, except that a nullable field may be null; ``blank`` is about forms, and there are none here."""
    fields = instance._meta.concrete_fields
    absent = {field.name for field in fields if field.null and field.value_from_object(instance) is None}
    instance.full_clean(exclude=absent)
