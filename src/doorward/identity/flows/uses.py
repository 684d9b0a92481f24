"""What refers to a flow or a stage: named before it is deleted.

Read off the models' relations, so that a new relation appears by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models

from doorward.identity.flows.models import FlowStageBinding
from doorward.identity.policies.models import PolicyBinding

PLACE = "place of the stage"


@dataclass(frozen=True, slots=True)
class Use:
    kind: str
    """What uses it: ``provider``, ``brand`` …"""
    name: str
    goes: bool = False
    """It is deleted with it."""
    holds: bool = False
    """As long as it is there, the other cannot be deleted."""

    def __str__(self) -> str:
        return f"{self.kind} “{self.name}”"


def uses_of(instance: models.Model) -> list[Use]:
    """Everything that refers to ``instance``, each once; what only says who it is for does not count."""
    return list(dict.fromkeys(_uses(instance)))


def _uses(instance: models.Model) -> Iterator[Use]:
    relations: list[Any] = instance._meta.get_fields(include_hidden=True)  # fields too, which have no end here
    for relation in relations:
        if not (relation.auto_created and not relation.concrete and relation.is_relation):
            continue
        model: Any = relation.related_model
        if model is PolicyBinding or model._meta.auto_created or _is_no_use(relation):
            continue
        for other in model._base_manager.filter(**{relation.field.name: instance})[:100]:
            yield _use(other, relation)


def _is_no_use(relation: Any) -> bool:
    """Parents of the object itself, and the other end of a link that is an object of its own."""
    if getattr(relation, "parent_link", False) or relation.one_to_one:
        return True
    return bool(relation.many_to_many and not relation.through._meta.auto_created)


def _use(other: Any, relation: Any) -> Use:
    if isinstance(other, FlowStageBinding):
        into_flow = relation.field.name == "stage"
        name = other.flow.slug if into_flow else other.stage.name
        return Use("flow" if into_flow else PLACE, name, goes=not into_flow)
    on_delete = None if relation.many_to_many else relation.on_delete
    kind = str(other._meta.verbose_name)
    return Use(kind, str(other), goes=on_delete is models.CASCADE, holds=on_delete is models.PROTECT)
