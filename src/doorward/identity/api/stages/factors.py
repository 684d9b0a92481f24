"""``/stages/authenticator/…/``: asking for second factors, and setting them up."""

from __future__ import annotations

from typing import Any

from django_filters import ChoiceFilter, NumberFilter
from rest_framework import serializers

from doorward.identity import durations
from doorward.identity.api.filtering import exactly, several, uuid_of
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.stages.kinds import OneKind, StageFilters
from doorward.identity.api.stages.serializers import SHARED, StageFields
from doorward.identity.authenticators.models import DeviceClass
from doorward.identity.authenticators.recovery_codes import SHORTEST
from doorward.identity.stages.factor_questions import SET_UP_NAMES
from doorward.identity.stages.models import (
    AuthenticatorEmailStage,
    AuthenticatorStaticStage,
    AuthenticatorTOTPStage,
    AuthenticatorValidateStage,
    AuthenticatorWebAuthnStage,
    Preference,
    Stage,
)

HINTS = ("security-key", "client-device", "hybrid")
SET_UP = ["configure_flow", "friendly_name"]


class DeviceClassesField(serializers.MultipleChoiceField):
    def to_internal_value(self, data: Any) -> Any:
        return sorted(super().to_internal_value(data))

    def to_representation(self, value: Any) -> Any:
        return sorted(value)


class AuthenticatorValidateStageSerializer(StageFields, serializers.ModelSerializer[AuthenticatorValidateStage]):
    device_classes = DeviceClassesField(choices=DeviceClass.values, required=False, allow_empty=False)
    configuration_stages = serializers.PrimaryKeyRelatedField(
        many=True, required=False, queryset=Stage.objects.filter(kind__in=SET_UP_NAMES)
    )
    last_auth_threshold = serializers.CharField(required=False, validators=[durations.require])
    webauthn_hints = serializers.ListField(child=serializers.ChoiceField(HINTS), required=False)
    webauthn_allowed_device_types = Fixed([])
    webauthn_allowed_device_types_obj = Fixed([])

    class Meta:
        model = AuthenticatorValidateStage
        fields = [
            *SHARED,
            "not_configured_action",
            "device_classes",
            "configuration_stages",
            "last_auth_threshold",
            "webauthn_user_verification",
            "webauthn_hints",
            "webauthn_allowed_device_types",
            "webauthn_allowed_device_types_obj",
        ]


class AuthenticatorTOTPStageSerializer(StageFields, serializers.ModelSerializer[AuthenticatorTOTPStage]):
    digits = serializers.ChoiceField(choices=[("6", "6"), ("8", "8")])

    class Meta:
        model = AuthenticatorTOTPStage
        fields = [*SHARED, *SET_UP, "digits"]

    def validate_digits(self, digits: str) -> int:
        return int(digits)

    def to_representation(self, instance: AuthenticatorTOTPStage) -> dict[str, Any]:
        return {**super().to_representation(instance), "digits": str(instance.digits)}


class AuthenticatorStaticStageSerializer(StageFields, serializers.ModelSerializer[AuthenticatorStaticStage]):
    token_count = serializers.IntegerField(required=False, min_value=1, max_value=100)
    token_length = serializers.IntegerField(required=False, min_value=SHORTEST, max_value=64)

    class Meta:
        model = AuthenticatorStaticStage
        fields = [*SHARED, *SET_UP, "token_count", "token_length"]


class AuthenticatorEmailStageSerializer(StageFields, serializers.ModelSerializer[AuthenticatorEmailStage]):
    use_global_settings = Fixed(True)
    template = Fixed("email/email_otp.html")
    token_expiry = serializers.CharField(required=False, validators=[durations.require])

    class Meta:
        model = AuthenticatorEmailStage
        fields = [*SHARED, *SET_UP, "use_global_settings", "subject", "token_expiry", "template"]


class AuthenticatorWebAuthnStageSerializer(StageFields, serializers.ModelSerializer[AuthenticatorWebAuthnStage]):
    hints = serializers.ListField(child=serializers.ChoiceField(HINTS), required=False)
    device_type_restrictions = Fixed([])
    device_type_restrictions_obj = Fixed([])

    class Meta:
        model = AuthenticatorWebAuthnStage
        fields = [
            *SHARED,
            *SET_UP,
            "user_verification",
            "authenticator_attachment",
            "resident_key_requirement",
            "hints",
            "device_type_restrictions",
            "device_type_restrictions_obj",
            "max_attempts",
        ]


class ValidateFilters(StageFilters):
    not_configured_action = ChoiceFilter(
        field_name="not_configured_action", choices=AuthenticatorValidateStage.NotConfiguredAction.choices
    )
    configuration_stages = several("configuration_stages", "pk", Stage.objects.all())


class AuthenticatorValidateStages(OneKind[AuthenticatorValidateStage]):
    model = AuthenticatorValidateStage
    queryset = AuthenticatorValidateStage.objects.prefetch_related("flows", "configuration_stages")
    serializer_class = AuthenticatorValidateStageSerializer
    filterset_class = ValidateFilters


class SetUpFilters(StageFilters):
    configure_flow = uuid_of("configure_flow")
    friendly_name = exactly("friendly_name")


class TOTPFilters(SetUpFilters):
    digits = NumberFilter(field_name="digits")


class AuthenticatorTOTPStages(OneKind[AuthenticatorTOTPStage]):
    model = AuthenticatorTOTPStage
    queryset = AuthenticatorTOTPStage.objects.prefetch_related("flows")
    serializer_class = AuthenticatorTOTPStageSerializer
    filterset_class = TOTPFilters


class StaticFilters(SetUpFilters):
    token_count = NumberFilter(field_name="token_count")
    token_length = NumberFilter(field_name="token_length")


class AuthenticatorStaticStages(OneKind[AuthenticatorStaticStage]):
    model = AuthenticatorStaticStage
    queryset = AuthenticatorStaticStage.objects.prefetch_related("flows")
    serializer_class = AuthenticatorStaticStageSerializer
    filterset_class = StaticFilters


class EmailCodeFilters(SetUpFilters):
    subject = exactly("subject")
    token_expiry = exactly("token_expiry")


class AuthenticatorEmailStages(OneKind[AuthenticatorEmailStage]):
    model = AuthenticatorEmailStage
    queryset = AuthenticatorEmailStage.objects.prefetch_related("flows")
    serializer_class = AuthenticatorEmailStageSerializer
    filterset_class = EmailCodeFilters


class WebAuthnFilters(SetUpFilters):
    user_verification = ChoiceFilter(field_name="user_verification", choices=Preference.choices)
    resident_key_requirement = ChoiceFilter(field_name="resident_key_requirement", choices=Preference.choices)
    authenticator_attachment = ChoiceFilter(
        field_name="authenticator_attachment", choices=AuthenticatorWebAuthnStage.Attachment.choices
    )
    max_attempts = NumberFilter(field_name="max_attempts")


class AuthenticatorWebAuthnStages(OneKind[AuthenticatorWebAuthnStage]):
    model = AuthenticatorWebAuthnStage
    queryset = AuthenticatorWebAuthnStage.objects.prefetch_related("flows")
    serializer_class = AuthenticatorWebAuthnStageSerializer
    filterset_class = WebAuthnFilters
