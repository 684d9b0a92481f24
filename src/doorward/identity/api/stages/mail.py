"""``/stages/email/``: letters with a link back into the flow. How they leave is the installation's setting."""

from __future__ import annotations

from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity import durations
from doorward.identity.api.described import TypeCreate
from doorward.identity.api.filtering import exactly
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.stages.kinds import OneKind, StageFilters
from doorward.identity.api.stages.serializers import SHARED, StageFields
from doorward.identity.stages import letters
from doorward.identity.stages.models import EmailStage


class EmailStageSerializer(StageFields, serializers.ModelSerializer[EmailStage]):
    use_global_settings = Fixed(True)
    token_expiry = serializers.CharField(required=False, validators=[durations.require])
    template = serializers.CharField(required=False, max_length=64)
    recovery_max_attempts = Fixed(5)
    recovery_cache_timeout = Fixed("minutes=5")

    class Meta:
        model = EmailStage
        fields = [
            *SHARED,
            "use_global_settings",
            "token_expiry",
            "subject",
            "template",
            "activate_user_on_success",
            "recovery_max_attempts",
            "recovery_cache_timeout",
        ]

    def validate_template(self, template: str) -> str:
        letters.require_known(template, self.instance if isinstance(self.instance, EmailStage) else None)
        return template


class EmailFilters(StageFilters):
    token_expiry = exactly("token_expiry")
    subject = exactly("subject")
    template = exactly("template")
    activate_user_on_success = BooleanFilter(field_name="activate_user_on_success")


class EmailStages(OneKind[EmailStage]):
    needs = {"templates": "authentik_flows.view_stage"}
    model = EmailStage
    queryset = EmailStage.objects.prefetch_related("flows")
    serializer_class = EmailStageSerializer
    filterset_class = EmailFilters

    @extend_schema(responses=TypeCreate(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def templates(self, request: Request) -> Response:
        """What ``template`` may say."""
        found = letters.choices()
        return Response(
            [{"name": name, "description": words, "component": "", "model_name": ""} for name, words in found]
        )
