"""``/stages/invitation/…/``: stages that ask for an invitation, and invitations."""

from __future__ import annotations

from typing import Any

from django_filters import BooleanFilter, IsoDateTimeFilter
from rest_framework import serializers

from doorward.identity.api import plain_writes
from doorward.identity.api.core.people import PartialUserSerializer
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.flows.instances import FlowSerializer
from doorward.identity.api.permissions import user_of
from doorward.identity.api.resource import UUID, Resource
from doorward.identity.api.stages.kinds import OneKind, StageFilters
from doorward.identity.api.stages.serializers import SHARED, StageFields
from doorward.identity.stages.invitations import invite, take_back
from doorward.identity.stages.models import Invitation, InvitationStage


class InvitationStageSerializer(StageFields, serializers.ModelSerializer[InvitationStage]):
    class Meta:
        model = InvitationStage
        fields = [*SHARED, "continue_flow_without_invitation"]


class InvitationStageFilters(StageFilters):
    continue_flow_without_invitation = BooleanFilter(field_name="continue_flow_without_invitation")
    no_flows = BooleanFilter(field_name="flows", lookup_expr="isnull")


class InvitationStages(OneKind[InvitationStage]):
    model = InvitationStage
    queryset = InvitationStage.objects.prefetch_related("flows")
    serializer_class = InvitationStageSerializer
    filterset_class = InvitationStageFilters


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    created_by = PartialUserSerializer(read_only=True)
    fixed_data = serializers.DictField(required=False)
    flow_obj = FlowSerializer(source="flow", read_only=True, allow_null=True)

    class Meta:
        model = Invitation
        fields = ["pk", "name", "expires", "fixed_data", "created_by", "single_use", "flow", "flow_obj"]


class InvitationFilters(Filters):
    name = exactly("name")
    expires = IsoDateTimeFilter(field_name="expires")
    created_by__username = exactly("created_by__username")
    flow__slug = exactly("flow__slug")


class Invitations(Resource[Invitation]):
    queryset = Invitation.objects.select_related("flow", "created_by")
    serializer_class = InvitationSerializer
    filterset_class = InvitationFilters
    lookup_url_kwarg = "invite_uuid"
    lookup_value_regex = UUID
    search_fields = ["name", "created_by__username"]
    orders = {"name": "name", "expires": "expires"}
    ordering = ["name"]

    def make(self, data: dict[str, Any]) -> Invitation:
        return invite(self.actor, **data, created_by=user_of(self.request))

    def change(self, instance: Invitation, data: dict[str, Any]) -> Invitation:
        return plain_writes.update(self.actor, instance, data)

    def remove(self, instance: Invitation) -> None:
        take_back(self.actor, instance)
