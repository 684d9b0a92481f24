"""``/policies/event_matcher/``: which events a notification rule is about."""

from __future__ import annotations

from typing import Any

from django_filters import BooleanFilter
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from doorward.identity.api.described import DESCRIBED
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.policies.kinds import OnePolicyKind
from doorward.identity.api.policies.serializer import PolicySerializer
from doorward.identity.policies.models import EventMatcherPolicy, Policy

ASKED = ("action", "client_ip", "app", "model", "query")


class EventMatcherPolicySerializer(PolicySerializer, serializers.ModelSerializer[EventMatcherPolicy]):
    """What is not asked for is null in answers, and may be null or empty in requests."""

    name = serializers.CharField(validators=[UniqueValidator(Policy.objects.all())])

    class Meta:
        model = EventMatcherPolicy
        fields = ["pk", "name", "execution_logging", *DESCRIBED, "bound_to", *ASKED]
        extra_kwargs = {name: {"allow_null": True, "allow_blank": True, "required": False} for name in ASKED}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {**attrs, **{name: attrs[name] or "" for name in ASKED if name in attrs}}

    def to_representation(self, instance: EventMatcherPolicy) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return {**shown, **{name: shown[name] or None for name in ASKED}}


class EventMatcherPolicyFilters(Filters):
    name = exactly("name")
    policy_uuid = exactly("pk")
    execution_logging = BooleanFilter(field_name="execution_logging")
    action = exactly("action")
    client_ip = exactly("client_ip")
    app = exactly("app")
    model = exactly("model")
    query = exactly("query")


class EventMatcherPolicies(OnePolicyKind[EventMatcherPolicy]):
    model = EventMatcherPolicy
    queryset = EventMatcherPolicy.objects.all()
    serializer_class = EventMatcherPolicySerializer
    filterset_class = EventMatcherPolicyFilters
