"""``/policies/network/``, ``/policies/time_window/``, ``/policies/geoip/``: from where and when somebody asks.

The first two are Doorward's own.
"""

from __future__ import annotations

from typing import Any

from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from doorward.identity.api.described import DESCRIBED
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.policies.kinds import OnePolicyKind
from doorward.identity.api.policies.serializer import PolicySerializer
from doorward.identity.api.resource import Rules
from doorward.identity.policies.countries import countries, name_of
from doorward.identity.policies.models import GeoIPPolicy, NetworkPolicy, Policy, TimeWindowPolicy

COMMON = ["pk", "name", "execution_logging", *DESCRIBED, "bound_to"]


class CircumstanceFilters(Filters):
    name = exactly("name")
    policy_uuid = exactly("pk")
    execution_logging = BooleanFilter(field_name="execution_logging")


class NetworkPolicySerializer(PolicySerializer, serializers.ModelSerializer[NetworkPolicy]):
    name = serializers.CharField(validators=[UniqueValidator(Policy.objects.all())])
    networks = serializers.ListField(child=serializers.CharField(max_length=64), allow_empty=False, max_length=500)

    class Meta:
        model = NetworkPolicy
        fields = [*COMMON, "networks"]


class NetworkPolicies(OnePolicyKind[NetworkPolicy]):
    model = NetworkPolicy
    queryset = NetworkPolicy.objects.all()
    serializer_class = NetworkPolicySerializer
    filterset_class = CircumstanceFilters


class TimeWindowPolicySerializer(PolicySerializer, serializers.ModelSerializer[TimeWindowPolicy]):
    name = serializers.CharField(validators=[UniqueValidator(Policy.objects.all())])
    days = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), allow_empty=False, max_length=7
    )

    class Meta:
        model = TimeWindowPolicy
        fields = [*COMMON, "days", "start", "end", "timezone"]


class TimeWindowPolicies(OnePolicyKind[TimeWindowPolicy]):
    model = TimeWindowPolicy
    queryset = TimeWindowPolicy.objects.all()
    serializer_class = TimeWindowPolicySerializer
    filterset_class = CircumstanceFilters


class DetailedCountrySerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()


def _described(codes: list[str]) -> list[dict[str, str]]:
    return [{"code": code, "name": name_of(code)} for code in codes]


_KILOMETRES = {"required": False, "min_value": 0, "max_value": 40_000}


class GeoIPPolicySerializer(PolicySerializer, serializers.ModelSerializer[GeoIPPolicy]):
    name = serializers.CharField(validators=[UniqueValidator(Policy.objects.all())])
    asns = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**32 - 1), required=False, max_length=500
    )
    countries = serializers.ListField(child=serializers.CharField(max_length=2), max_length=249)
    countries_obj = serializers.SerializerMethodField()

    class Meta:
        model = GeoIPPolicy
        fields = [
            *COMMON,
            "asns",
            "countries",
            "countries_obj",
            "check_history_distance",
            "history_max_distance_km",
            "distance_tolerance_km",
            "history_login_count",
            "check_impossible_travel",
            "impossible_tolerance_km",
        ]
        extra_kwargs = {
            "history_max_distance_km": _KILOMETRES,
            "distance_tolerance_km": _KILOMETRES,
            "impossible_tolerance_km": _KILOMETRES,
            "history_login_count": {"required": False, "min_value": 0, "max_value": 20},
        }

    @extend_schema(responses=DetailedCountrySerializer(many=True))
    def get_countries_obj(self, policy: GeoIPPolicy) -> list[dict[str, str]]:
        return _described(policy.countries)


class GeoIPPolicies(OnePolicyKind[GeoIPPolicy]):
    model = GeoIPPolicy
    queryset = GeoIPPolicy.objects.all()
    serializer_class = GeoIPPolicySerializer
    filterset_class = CircumstanceFilters


class Countries(Rules):
    """``/policies/geoip_iso3166/``: what ``countries`` may name."""

    need = "authentik_policies.view_policy"

    @extend_schema(operation_id="policies_geoip_iso3166_list", responses=DetailedCountrySerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(_described(list(countries())))
