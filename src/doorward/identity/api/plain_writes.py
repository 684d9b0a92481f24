"""Writes about objects whose room has no rules beyond the model's own: flows, stages, their bindings, brands, scopes.

Each is one transaction with one event; the model's constraints are asked first, so that a violation is a message
about a field and not a failure of the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model

from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor

M = TypeVar("M", bound=Model)


def create(actor: Actor, model: type[M], fields: Mapping[str, Any]) -> M:
    """Raises ValidationError."""
    instance = model(**fields)
    with transaction.atomic():
        _validate(instance)
        instance.save(force_insert=True)
        events.created(actor, instance)
    return instance


def update(actor: Actor, instance: M, changes: Mapping[str, Any]) -> M:
    """Raises ValidationError."""
    with transaction.atomic():
        before = events.snapshot(instance)
        for name, value in changes.items():
            setattr(instance, name, value)
        _validate(instance)
        instance.save()
        events.updated(actor, instance, before)
    return instance


def delete(actor: Actor, instance: Model) -> None:
    """Raises ProtectedError while something that must have it refers to it."""
    with transaction.atomic():
        events.deleted(actor, instance)
        instance.delete()


def _validate(instance: Model) -> None:
    """``full_clean``, except that a nullable field may be null; ``blank`` is about forms, and there are none here."""
    fields = instance._meta.concrete_fields
    absent = {field.name for field in fields if field.null and field.value_from_object(instance) is None}
    instance.full_clean(exclude=absent)
