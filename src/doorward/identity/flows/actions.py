"""The writes about flows and the stages bound into them: one transaction, one event for each thing changed."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max

from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.stages.models import Stage

STEP = 10
"""Between the orders that we give, so that there is room for something in between."""


def set_compatibility_mode(actor: Actor, flow: Flow, on: bool) -> None:
    """Switch ``compatibility_mode``."""
    with transaction.atomic():
        before = events.snapshot(flow)
        flow.compatibility_mode = on
        flow.save(update_fields=["compatibility_mode"])
        events.updated(actor, flow, before)


def bind_stage(actor: Actor, flow: Flow, stage: Stage, **fields: object) -> FlowStageBinding:
    """Put ``stage`` behind the last one of ``flow``. Raises ValidationError."""
    with transaction.atomic():
        last = flow.stage_bindings.aggregate(last=Max("order"))["last"]
        order = STEP if last is None else (last // STEP + 1) * STEP
        binding = FlowStageBinding(flow=flow, stage=stage, order=order)
        for name, value in fields.items():
            setattr(binding, name, value)
        binding.full_clean()
        binding.save(force_insert=True)
        events.created(actor, binding)
    return binding


def move_stage(actor: Actor, binding: FlowStageBinding, *, by: int) -> bool:
    """Let ``binding`` change places with its neighbour (``by`` -1: before it, 1: behind it). False at an end."""
    with transaction.atomic():
        places = list(binding.flow.stage_bindings.select_for_update(of=("self",)).order_by("order", "pk"))
        here = next(place for place, other in enumerate(places) if other.pk == binding.pk)
        there = here + by
        if not 0 <= there < len(places):
            return False
        orders = [place.order for place in places]
        if len(set(orders)) < len(orders):  # places that share a number cannot change it
            orders = [STEP * number for number in range(1, len(places) + 1)]
        places[here], places[there] = places[there], places[here]
        _renumber(actor, places, orders)
    return True


def _renumber(actor: Actor, places: list[FlowStageBinding], orders: list[int]) -> None:
    """By way of numbers that nobody has: a stage may stand in a flow twice, each time under another number."""
    moved = [(place, order) for place, order in zip(places, orders, strict=True) if place.order != order]
    free = max(orders + [place.order for place in places]) + 1
    befores = [events.snapshot(place) for place, _ in moved]
    for number, (place, _) in enumerate(moved):
        FlowStageBinding.objects.filter(pk=place.pk).update(order=free + number)
    for (place, order), before in zip(moved, befores, strict=True):
        place.order = order
        place.save(update_fields=["order"])
        events.updated(actor, place, before)
