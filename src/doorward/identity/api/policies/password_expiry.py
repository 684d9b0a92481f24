"""``/policies/password_expiry/``: who has to choose a new password.

An old password does not pass. It is never made unusable, whatever ``deny_only`` says at other servers.
"""

from __future__ import annotations

from django_filters import BooleanFilter, NumberFilter
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from doorward.identity.api.described import DESCRIBED
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.policies.kinds import OnePolicyKind
from doorward.identity.api.policies.serializer import PolicySerializer
from doorward.identity.policies.models import PasswordExpiryPolicy, Policy


class PasswordExpiryPolicySerializer(PolicySerializer, serializers.ModelSerializer[PasswordExpiryPolicy]):
    name = serializers.CharField(validators=[UniqueValidator(Policy.objects.all())])
    days = serializers.IntegerField(min_value=1, max_value=36500)
    deny_only = Fixed(True)

    class Meta:
        model = PasswordExpiryPolicy
        fields = ["pk", "name", "execution_logging", *DESCRIBED, "bound_to", "days", "deny_only"]


class PasswordExpiryPolicyFilters(Filters):
    execution_logging = BooleanFilter(field_name="execution_logging")
    name = exactly("name")
    policy_uuid = exactly("pk")
    days = NumberFilter(field_name="days")


class PasswordExpiryPolicies(OnePolicyKind[PasswordExpiryPolicy]):
    model = PasswordExpiryPolicy
    queryset = PasswordExpiryPolicy.objects.all()
    serializer_class = PasswordExpiryPolicySerializer
    filterset_class = PasswordExpiryPolicyFilters
