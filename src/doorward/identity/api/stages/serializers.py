"""The kinds of stages, each with its settings (``contracts/identity.md`` section 6.3)."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from doorward.identity import durations
from doorward.identity.api.described import DESCRIBED, STAGES, DescribedSerializer, Description
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.flows.instances import FlowSetSerializer
from doorward.identity.stages.models import (
    ConsentStage,
    IdentificationStage,
    PasswordStage,
    Stage,
    UserLoginStage,
    UserLogoutStage,
)

SHARED = ["pk", "name", *DESCRIBED, "flow_set"]
BACKENDS = (
    "authentik.core.auth.InbuiltBackend",
    "authentik.core.auth.TokenBackend",
    "authentik.sources.ldap.auth.LDAPBackend",
)


class StageFields(DescribedSerializer):
    name = serializers.CharField(validators=[UniqueValidator(Stage.objects.all())])
    flow_set = FlowSetSerializer(source="flows", many=True, read_only=True)

    def describe(self, instance: Stage) -> Description:
        return STAGES[instance.kind]


class StageSerializer(StageFields, serializers.ModelSerializer[Stage]):
    class Meta:
        model = Stage
        fields = SHARED
        read_only_fields = fields


class IdentificationStageSerializer(StageFields, serializers.ModelSerializer[IdentificationStage]):
    user_fields = serializers.MultipleChoiceField(choices=["email", "username", "upn"], required=False)
    captcha_stage = Fixed(None)

    class Meta:
        model = IdentificationStage
        fields = [
            *SHARED,
            "user_fields",
            "password_stage",
            "captcha_stage",
            "webauthn_stage",
            "case_insensitive_matching",
            "show_matched_user",
            "pretend_user_exists",
            "enable_remember_me",
            "enrollment_flow",
            "recovery_flow",
            "passwordless_flow",
            "sources",
            "show_source_labels",
        ]

    def validate_user_fields(self, fields: set[str]) -> list[str]:
        return sorted(fields)


class PasswordStageSerializer(StageFields, serializers.ModelSerializer[PasswordStage]):
    backends = serializers.ListField(child=serializers.ChoiceField(BACKENDS), min_length=1)

    class Meta:
        model = PasswordStage
        fields = [
            *SHARED,
            "backends",
            "configure_flow",
            "failed_attempts_before_cancel",
            "allow_show_password",
        ]


class UserLoginStageSerializer(StageFields, serializers.ModelSerializer[UserLoginStage]):
    session_duration = serializers.CharField(required=False, validators=[durations.require])
    remember_me_offset = serializers.CharField(required=False, validators=[durations.require])

    class Meta:
        model = UserLoginStage
        fields = [
            *SHARED,
            "session_duration",
            "terminate_other_sessions",
            "remember_me_offset",
            "network_binding",
            "geoip_binding",
        ]


class UserLogoutStageSerializer(StageFields, serializers.ModelSerializer[UserLogoutStage]):
    class Meta:
        model = UserLogoutStage
        fields = SHARED


class ConsentStageSerializer(StageFields, serializers.ModelSerializer[ConsentStage]):
    consent_expire_in = serializers.CharField(required=False, validators=[durations.require])

    class Meta:
        model = ConsentStage
        fields = [*SHARED, "mode", "consent_expire_in"]
