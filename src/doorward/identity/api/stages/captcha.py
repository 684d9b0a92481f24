"""``/stages/captcha/``. The private key is written and never read again."""

from __future__ import annotations

from django_filters import BooleanFilter, NumberFilter
from rest_framework import serializers

from doorward.identity.api.filtering import exactly
from doorward.identity.api.stages.kinds import OneKind, StageFilters
from doorward.identity.api.stages.serializers import SHARED, StageFields
from doorward.identity.stages.models import CaptchaStage


class CaptchaStageSerializer(StageFields, serializers.ModelSerializer[CaptchaStage]):
    private_key = serializers.CharField(write_only=True, max_length=4096)

    class Meta:
        model = CaptchaStage
        fields = [
            *SHARED,
            "public_key",
            "private_key",
            "js_url",
            "api_url",
            "request_content_type",
            "interactive",
            "score_min_threshold",
            "score_max_threshold",
            "error_on_invalid_score",
        ]


class CaptchaFilters(StageFilters):
    public_key = exactly("public_key")
    js_url = exactly("js_url")
    api_url = exactly("api_url")
    interactive = BooleanFilter(field_name="interactive")
    score_min_threshold = NumberFilter(field_name="score_min_threshold")
    score_max_threshold = NumberFilter(field_name="score_max_threshold")
    error_on_invalid_score = BooleanFilter(field_name="error_on_invalid_score")


class CaptchaStages(OneKind[CaptchaStage]):
    model = CaptchaStage
    queryset = CaptchaStage.objects.prefetch_related("flows")
    serializer_class = CaptchaStageSerializer
    filterset_class = CaptchaFilters
