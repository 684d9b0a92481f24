"""``/stages/all/`` and ``/stages/<kind>/``: what a flow is made of."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from django_filters import BooleanFilter, ChoiceFilter, NumberFilter
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api import plain_writes
from doorward.identity.api.described import STAGES, TypeCreate, menu
from doorward.identity.api.filtering import Filters, exactly, uuid_of
from doorward.identity.api.flows.careful import KeepsAWayIn, is_sure
from doorward.identity.api.resource import UUID, ReadResource, Resource
from doorward.identity.api.stages import serializers as shown
from doorward.identity.flows import way_in
from doorward.identity.logins.bindings import GeoipBinding, NetworkBinding
from doorward.identity.stages.models import (
    ConsentStage,
    IdentificationStage,
    PasswordStage,
    Stage,
    UserLoginStage,
    UserLogoutStage,
)

S = TypeVar("S", bound=Stage)


class StageFilters(Filters):
    name = exactly("name")
    stage_uuid = uuid_of("pk")


class Stages(mixins.DestroyModelMixin, ReadResource[Stage]):
    queryset = Stage.objects.prefetch_related("flows")
    serializer_class = shown.StageSerializer
    filterset_class = StageFilters
    lookup_url_kwarg = "stage_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name"}
    ordering = ["name"]

    def perform_destroy(self, instance: Stage) -> None:
        with way_in.kept(sure=is_sure(self.request)):
            plain_writes.delete(self.actor, instance.concrete())

    @extend_schema(responses=TypeCreate(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def types(self, request: Request) -> Response:
        """The kinds of stages that can be created."""
        return menu(*STAGES.values())


class OneKind(KeepsAWayIn, Resource[S], Generic[S]):
    """A kind of stage; its subclass names model, serializer and filters."""

    model: type[S]
    filterset_class = StageFilters
    lookup_url_kwarg = "stage_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name"}
    ordering = ["name"]

    def make(self, data: dict[str, Any]) -> S:
        return plain_writes.create(self.actor, self.model, data)

    def change(self, instance: S, data: dict[str, Any]) -> S:
        return plain_writes.update(self.actor, instance, data)

    def remove(self, instance: S) -> None:
        plain_writes.delete(self.actor, instance)


class IdentificationFilters(StageFilters):
    password_stage = uuid_of("password_stage")
    webauthn_stage = uuid_of("webauthn_stage")
    enrollment_flow = uuid_of("enrollment_flow")
    recovery_flow = uuid_of("recovery_flow")
    passwordless_flow = uuid_of("passwordless_flow")
    case_insensitive_matching = BooleanFilter(field_name="case_insensitive_matching")
    show_matched_user = BooleanFilter(field_name="show_matched_user")


class IdentificationStages(OneKind[IdentificationStage]):
    model = IdentificationStage
    queryset = IdentificationStage.objects.prefetch_related("flows")
    serializer_class = shown.IdentificationStageSerializer
    filterset_class = IdentificationFilters


class PasswordFilters(StageFilters):
    configure_flow = uuid_of("configure_flow")
    failed_attempts_before_cancel = NumberFilter(field_name="failed_attempts_before_cancel")
    allow_show_password = BooleanFilter(field_name="allow_show_password")


class PasswordStages(OneKind[PasswordStage]):
    model = PasswordStage
    queryset = PasswordStage.objects.prefetch_related("flows")
    serializer_class = shown.PasswordStageSerializer
    filterset_class = PasswordFilters


class UserLoginFilters(StageFilters):
    session_duration = exactly("session_duration")
    remember_me_offset = exactly("remember_me_offset")
    terminate_other_sessions = BooleanFilter(field_name="terminate_other_sessions")
    network_binding = ChoiceFilter(field_name="network_binding", choices=NetworkBinding.choices)
    geoip_binding = ChoiceFilter(field_name="geoip_binding", choices=GeoipBinding.choices)


class UserLoginStages(OneKind[UserLoginStage]):
    model = UserLoginStage
    queryset = UserLoginStage.objects.prefetch_related("flows")
    serializer_class = shown.UserLoginStageSerializer
    filterset_class = UserLoginFilters


class UserLogoutStages(OneKind[UserLogoutStage]):
    model = UserLogoutStage
    queryset = UserLogoutStage.objects.prefetch_related("flows")
    serializer_class = shown.UserLogoutStageSerializer


class ConsentFilters(StageFilters):
    mode = ChoiceFilter(field_name="mode", choices=ConsentStage.Mode.choices)
    consent_expire_in = exactly("consent_expire_in")


class ConsentStages(OneKind[ConsentStage]):
    model = ConsentStage
    queryset = ConsentStage.objects.prefetch_related("flows")
    serializer_class = shown.ConsentStageSerializer
    filterset_class = ConsentFilters
