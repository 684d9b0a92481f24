"""Read flows as they are configured, remembered between requests."""

from __future__ import annotations

from uuid import UUID

from django.db.models import ForeignKey

from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.remembered.memory import remembered
from doorward.identity.remembered.watched import is_watched
from doorward.identity.stages.models import Stage


@remembered
def flow_named(slug: str) -> Flow | None:
    """The flow with this slug."""
    return Flow.objects.filter(slug=slug).first()


@remembered
def flow_for(designation: str) -> Flow | None:
    """The first there is for this purpose."""
    return Flow.objects.filter(designation=designation).order_by("slug").first()


@remembered
def course(flow: UUID) -> list[FlowStageBinding]:
    """The places of a flow in their order, each with its stage as an object of its own kind."""
    places = list(FlowStageBinding.objects.filter(flow=flow).select_related("stage").order_by("order", "pk"))
    for place in places:
        place.stage = _whole(place.stage)
    return places


@remembered
def stage_of(key: str, kind: str) -> Stage | None:
    """The stage with this key, if it is of this kind, as an object of that."""
    stage = Stage.objects.filter(pk=key, kind=kind).first()
    return _whole(stage) if stage is not None else None


def _whole(stage: Stage) -> Stage:
    """With the flows and stages that it names, so that nobody has to read them once more. Groups that it names are no
    configuration: they are read when they are needed."""
    whole = stage.concrete()
    for field in whole._meta.concrete_fields:
        if isinstance(field, ForeignKey) and is_watched(field.related_model):
            getattr(whole, field.name)
    return whole
