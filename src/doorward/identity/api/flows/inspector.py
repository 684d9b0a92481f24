"""``/flows/inspector/<slug>/``: what a flow did and knows, for the superuser who watches it in this session."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.flows.bindings import FlowStageBindingSerializer
from doorward.identity.api.resource import Rules
from doorward.identity.flows import inspector
from doorward.identity.flows.journal import Entry, Journal
from doorward.identity.flows.models import Flow, FlowStageBinding

NOTHING = "00000000-0000-0000-0000-000000000000"
"""Key of a place that is none: clients require one also where no operator bound the stage, and behind the last."""


class FlowInspectorPlan(serializers.Serializer[Any]):
    current_stage = FlowStageBindingSerializer()
    next_planned_stage = FlowStageBindingSerializer()
    plan_context = serializers.DictField()
    session_id = serializers.CharField()


class FlowInspection(serializers.Serializer[Any]):
    plans = FlowInspectorPlan(many=True)
    current_plan = FlowInspectorPlan(required=False)
    is_completed = serializers.BooleanField()


class FlowInspector(Rules):
    """Strangers and users are refused like everywhere (S-601); a token has no session, so it watches nothing."""

    @extend_schema(
        responses={200: FlowInspection, 400: OpenApiResponse(description="No flow plan in session.")},
        operation_id="flows_inspector_get",
    )
    def get(self, request: Request, flow_slug: str) -> Response:
        """The plan at each stage so far, the latest last."""
        flow = get_object_or_404(Flow, slug=flow_slug)
        inspection = inspector.inspect(request._request, flow)
        if inspection is None or not inspection.journal.entries:
            return Response(status=400)
        plans = [_plan(inspection.journal, entry, flow) for entry in inspection.journal.entries]
        return Response({"plans": plans, "current_plan": plans[-1], "is_completed": inspection.journal.is_completed})


def _plan(journal: Journal, entry: Entry, flow: Flow) -> dict[str, Any]:
    return {
        "current_stage": _place(entry.binding, entry.kind, flow),
        "next_planned_stage": _place(entry.following, "", flow),
        "plan_context": entry.context,
        "session_id": journal.id,
    }


def _place(key: str, kind: str, flow: Flow) -> dict[str, Any]:
    found = FlowStageBinding.objects.filter(pk=key).select_related("stage", "flow").first() if key else None
    if found is not None:
        return dict(FlowStageBindingSerializer(found).data)
    nothing = dict.fromkeys(("name", "component", "verbose_name", "verbose_name_plural", "meta_model_name"), "")
    return {
        "pk": NOTHING,
        "policybindingmodel_ptr_id": NOTHING,
        "target": str(flow.pk),
        "stage": NOTHING,
        "stage_obj": {**nothing, "pk": NOTHING, "name": kind, "flow_set": []},
        "order": 0,
    }
