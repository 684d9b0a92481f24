"""``/policies/dummy/``: policies that say what they are told to."""

from __future__ import annotations

from django_filters import BooleanFilter, NumberFilter
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from doorward.identity.api.described import DESCRIBED
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.policies.kinds import OnePolicyKind
from doorward.identity.api.policies.serializer import PolicySerializer
from doorward.identity.policies.models import DummyPolicy, Policy


class DummyPolicySerializer(PolicySerializer, serializers.ModelSerializer[DummyPolicy]):
    name = serializers.CharField(validators=[UniqueValidator(Policy.objects.all())])

    class Meta:
        model = DummyPolicy
        fields = ["pk", "name", "execution_logging", *DESCRIBED, "bound_to", "result", "wait_min", "wait_max"]


class DummyPolicyFilters(Filters):
    name = exactly("name")
    policy_uuid = exactly("pk")
    execution_logging = BooleanFilter(field_name="execution_logging")
    result = BooleanFilter(field_name="result")
    wait_min = NumberFilter(field_name="wait_min")
    wait_max = NumberFilter(field_name="wait_max")


class DummyPolicies(OnePolicyKind[DummyPolicy]):
    model = DummyPolicy
    queryset = DummyPolicy.objects.all()
    serializer_class = DummyPolicySerializer
    filterset_class = DummyPolicyFilters
