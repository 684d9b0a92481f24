"""``/policies/password/``: what a password must be like. They hold where a prompt stage names them."""

from __future__ import annotations

from django_filters import BooleanFilter, NumberFilter
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from doorward.identity.api.described import DESCRIBED
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.policies.kinds import OnePolicyKind
from doorward.identity.api.policies.serializer import PolicySerializer
from doorward.identity.policies.models import PasswordPolicy, Policy, UniquePasswordPolicy

AMOUNTS = ("amount_digits", "amount_uppercase", "amount_lowercase", "amount_symbols", "length_min")


class PasswordPolicySerializer(PolicySerializer, serializers.ModelSerializer[PasswordPolicy]):
    name = serializers.CharField(validators=[UniqueValidator(Policy.objects.all())])
    zxcvbn_score_threshold = serializers.IntegerField(required=False, min_value=0, max_value=4)
    check_have_i_been_pwned = Fixed(False)
    hibp_allowed_count = Fixed(0)

    class Meta:
        model = PasswordPolicy
        fields = [
            "pk",
            "name",
            "execution_logging",
            *DESCRIBED,
            "bound_to",
            "password_field",
            *AMOUNTS,
            "symbol_charset",
            "error_message",
            "check_static_rules",
            "check_have_i_been_pwned",
            "check_zxcvbn",
            "hibp_allowed_count",
            "zxcvbn_score_threshold",
            "num_historical_passwords",
        ]


class PasswordPolicyFilters(Filters):
    execution_logging = BooleanFilter(field_name="execution_logging")
    name = exactly("name")
    policy_uuid = exactly("pk")
    password_field = exactly("password_field")
    amount_digits = NumberFilter(field_name="amount_digits")
    amount_uppercase = NumberFilter(field_name="amount_uppercase")
    amount_lowercase = NumberFilter(field_name="amount_lowercase")
    amount_symbols = NumberFilter(field_name="amount_symbols")
    length_min = NumberFilter(field_name="length_min")
    error_message = exactly("error_message")
    symbol_charset = exactly("symbol_charset")
    check_static_rules = BooleanFilter(field_name="check_static_rules")
    check_zxcvbn = BooleanFilter(field_name="check_zxcvbn")
    zxcvbn_score_threshold = NumberFilter(field_name="zxcvbn_score_threshold")


class PasswordPolicies(OnePolicyKind[PasswordPolicy]):
    model = PasswordPolicy
    queryset = PasswordPolicy.objects.filter(kind=PasswordPolicy.KIND)
    serializer_class = PasswordPolicySerializer
    filterset_class = PasswordPolicyFilters


class UniquePasswordPolicySerializer(PolicySerializer, serializers.ModelSerializer[UniquePasswordPolicy]):
    name = serializers.CharField(validators=[UniqueValidator(Policy.objects.all())])
    num_historical_passwords = serializers.IntegerField(required=False, default=1, min_value=0, max_value=100)

    class Meta:
        model = UniquePasswordPolicy
        fields = [
            "pk",
            "name",
            "execution_logging",
            *DESCRIBED,
            "bound_to",
            "password_field",
            "num_historical_passwords",
        ]


class UniquePasswordPolicyFilters(Filters):
    name = exactly("name")
    policy_uuid = exactly("pk")
    password_field = exactly("password_field")
    num_historical_passwords = NumberFilter(field_name="num_historical_passwords")
    execution_logging = BooleanFilter(field_name="execution_logging")


class UniquePasswordPolicies(OnePolicyKind[UniquePasswordPolicy]):
    """``/policies/unique_password/``: none of the former ones."""

    model = UniquePasswordPolicy
    queryset = UniquePasswordPolicy.objects.all()
    serializer_class = UniquePasswordPolicySerializer
    filterset_class = UniquePasswordPolicyFilters
