"""``/stages/deny/``, ``/stages/dummy/``, ``/stages/redirect/`` and ``/stages/user_delete/``."""

from __future__ import annotations

from django_filters import BooleanFilter
from rest_framework import serializers

from doorward.identity.api.filtering import exactly
from doorward.identity.api.stages.kinds import OneKind, StageFilters
from doorward.identity.api.stages.serializers import SHARED, StageFields
from doorward.identity.stages.models import DenyStage, DummyStage, RedirectStage, UserDeleteStage


class DenyStageSerializer(StageFields, serializers.ModelSerializer[DenyStage]):
    class Meta:
        model = DenyStage
        fields = [*SHARED, "deny_message"]


class DenyFilters(StageFilters):
    deny_message = exactly("deny_message")


class DenyStages(OneKind[DenyStage]):
    model = DenyStage
    queryset = DenyStage.objects.prefetch_related("flows")
    serializer_class = DenyStageSerializer
    filterset_class = DenyFilters


class DummyStageSerializer(StageFields, serializers.ModelSerializer[DummyStage]):
    class Meta:
        model = DummyStage
        fields = [*SHARED, "throw_error"]


class DummyFilters(StageFilters):
    throw_error = BooleanFilter(field_name="throw_error")


class DummyStages(OneKind[DummyStage]):
    model = DummyStage
    queryset = DummyStage.objects.prefetch_related("flows")
    serializer_class = DummyStageSerializer
    filterset_class = DummyFilters


class RedirectStageSerializer(StageFields, serializers.ModelSerializer[RedirectStage]):
    class Meta:
        model = RedirectStage
        fields = [*SHARED, "keep_context", "mode", "target_static", "target_flow"]


class RedirectStages(OneKind[RedirectStage]):
    model = RedirectStage
    queryset = RedirectStage.objects.prefetch_related("flows")
    serializer_class = RedirectStageSerializer


class UserDeleteStageSerializer(StageFields, serializers.ModelSerializer[UserDeleteStage]):
    class Meta:
        model = UserDeleteStage
        fields = SHARED


class UserDeleteStages(OneKind[UserDeleteStage]):
    model = UserDeleteStage
    queryset = UserDeleteStage.objects.prefetch_related("flows")
    serializer_class = UserDeleteStageSerializer
