"""``/policies/expression/``: access by a rule in the language of expressions (S-612).

For superusers alone, the reading and the trying out as well: a rule decides who gets in (S-613).
"""

from __future__ import annotations

from django_filters import BooleanFilter
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from doorward.identity.api.described import DESCRIBED
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.permissions import SuperuserOnly
from doorward.identity.api.policies.kinds import OnePolicyKind
from doorward.identity.api.policies.serializer import PolicySerializer
from doorward.identity.policies.models import ExpressionPolicy, Policy


class ExpressionPolicySerializer(PolicySerializer, serializers.ModelSerializer[ExpressionPolicy]):
    name = serializers.CharField(validators=[UniqueValidator(Policy.objects.all())])

    class Meta:
        model = ExpressionPolicy
        fields = ["pk", "name", "execution_logging", *DESCRIBED, "bound_to", "expression"]


class ExpressionPolicyFilters(Filters):
    execution_logging = BooleanFilter(field_name="execution_logging")
    name = exactly("name")
    policy_uuid = exactly("pk")
    expression = exactly("expression")


class ExpressionPolicies(OnePolicyKind[ExpressionPolicy]):
    model = ExpressionPolicy
    queryset = ExpressionPolicy.objects.all()
    permission_classes = [SuperuserOnly]
    serializer_class = ExpressionPolicySerializer
    filterset_class = ExpressionPolicyFilters
