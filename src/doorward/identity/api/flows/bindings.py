"""``/flows/bindings/``: which stage comes where in which flow."""

from __future__ import annotations

from typing import Any

from django_filters import BooleanFilter, ChoiceFilter, NumberFilter
from rest_framework import serializers

from doorward.identity.api import plain_writes
from doorward.identity.api.filtering import Filters, uuid_of
from doorward.identity.api.flows.careful import KeepsAWayIn
from doorward.identity.api.resource import UUID, Resource
from doorward.identity.api.stages.serializers import StageSerializer
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.policies.models import PolicyTarget


class FlowStageBindingSerializer(serializers.ModelSerializer[FlowStageBinding]):
    pk = serializers.UUIDField(source="uuid", read_only=True)
    policybindingmodel_ptr_id = serializers.UUIDField(source="id", read_only=True)
    target = serializers.PrimaryKeyRelatedField(source="flow", queryset=Flow.objects.all())
    stage_obj = StageSerializer(source="stage", read_only=True)

    class Meta:
        model = FlowStageBinding
        fields = [
            "pk",
            "policybindingmodel_ptr_id",
            "target",
            "stage",
            "stage_obj",
            "evaluate_on_plan",
            "re_evaluate_policies",
            "order",
            "policy_engine_mode",
            "invalid_response_action",
        ]


class BindingFilters(Filters):
    fsb_uuid = uuid_of("uuid")
    pbm_uuid = uuid_of("pk")
    target = uuid_of("flow")
    stage = uuid_of("stage")
    order = NumberFilter(field_name="order")
    evaluate_on_plan = BooleanFilter(field_name="evaluate_on_plan")
    re_evaluate_policies = BooleanFilter(field_name="re_evaluate_policies")
    policy_engine_mode = ChoiceFilter(field_name="policy_engine_mode", choices=PolicyTarget.EngineMode.choices)
    invalid_response_action = ChoiceFilter(
        field_name="invalid_response_action", choices=FlowStageBinding.InvalidResponseAction.choices
    )


class FlowStageBindings(KeepsAWayIn, Resource[FlowStageBinding]):
    queryset = FlowStageBinding.objects.select_related("stage", "flow").prefetch_related("stage__flows")
    serializer_class = FlowStageBindingSerializer
    filterset_class = BindingFilters
    lookup_field = "uuid"
    lookup_url_kwarg = "fsb_uuid"
    lookup_value_regex = UUID
    search_fields = ["stage__name"]
    orders = {"order": "order"}
    ordering = ["flow", "order"]

    def make(self, data: dict[str, Any]) -> FlowStageBinding:
        return plain_writes.create(self.actor, FlowStageBinding, data)

    def change(self, instance: FlowStageBinding, data: dict[str, Any]) -> FlowStageBinding:
        return plain_writes.update(self.actor, instance, data)

    def remove(self, instance: FlowStageBinding) -> None:
        plain_writes.delete(self.actor, instance)
