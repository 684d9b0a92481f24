"""``/stages/email/``: letters with a link back into the flow. How they leave is the installation's setting."""

from __future__ import annotations

from django_filters import BooleanFilter, ChoiceFilter
from rest_framework import serializers

from doorward.identity import durations
from doorward.identity.api.filtering import exactly
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.stages.kinds import OneKind, StageFilters
from doorward.identity.api.stages.serializers import SHARED, StageFields
from doorward.identity.stages.models import EmailStage


class EmailStageSerializer(StageFields, serializers.ModelSerializer[EmailStage]):
    use_global_settings = Fixed(True)
    token_expiry = serializers.CharField(required=False, validators=[durations.require])
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


class EmailFilters(StageFilters):
    token_expiry = exactly("token_expiry")
    subject = exactly("subject")
    template = ChoiceFilter(field_name="template", choices=EmailStage.Template.choices)
    activate_user_on_success = BooleanFilter(field_name="activate_user_on_success")


class EmailStages(OneKind[EmailStage]):
    model = EmailStage
    queryset = EmailStage.objects.prefetch_related("flows")
    serializer_class = EmailStageSerializer
    filterset_class = EmailFilters
