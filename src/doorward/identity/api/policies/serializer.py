"""What is the same about every kind of policy."""

from __future__ import annotations

from rest_framework import serializers

from doorward.identity.api.described import DESCRIBED, POLICIES, DescribedSerializer, Description
from doorward.identity.policies.models import PasswordPolicy, Policy, UniquePasswordPolicy


class PolicySerializer(DescribedSerializer, serializers.ModelSerializer[Policy]):
    bound_to = serializers.SerializerMethodField()

    class Meta:
        model = Policy
        fields = ["pk", "name", "execution_logging", *DESCRIBED, "bound_to"]
        read_only_fields = fields

    def describe(self, instance: Policy) -> Description:
        return POLICIES[instance.kind]

    def get_bound_to(self, policy: Policy) -> int:
        is_of_passwords = policy.kind in (PasswordPolicy.KIND, UniquePasswordPolicy.KIND)
        stages = PasswordPolicy.objects.get(pk=policy.pk).prompt_stages.count() if is_of_passwords else 0
        return policy.bindings.count() + stages
