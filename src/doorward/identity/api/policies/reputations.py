"""``/policies/reputation/`` and ``/policies/reputation/scores/``: policies about bad reputation, and what it is."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import BaseInFilter, BooleanFilter, CharFilter, NumberFilter
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.validators import UniqueValidator

from doorward.identity.api import plain_writes
from doorward.identity.api.described import DESCRIBED
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.policies.kinds import OnePolicyKind
from doorward.identity.api.policies.serializer import PolicySerializer
from doorward.identity.api.resource import UUID, ReadResource
from doorward.identity.logins import places
from doorward.identity.policies.models import Policy, Reputation, ReputationPolicy


class ReputationPolicySerializer(PolicySerializer, serializers.ModelSerializer[ReputationPolicy]):
    name = serializers.CharField(validators=[UniqueValidator(Policy.objects.all())])
    threshold = serializers.IntegerField(required=False, min_value=-(10**6), max_value=10**6)

    class Meta:
        model = ReputationPolicy
        fields = ["pk", "name", "execution_logging", *DESCRIBED, "bound_to", "check_ip", "check_username", "threshold"]


class ReputationPolicyFilters(Filters):
    name = exactly("name")
    policy_uuid = exactly("pk")
    check_ip = BooleanFilter(field_name="check_ip")
    check_username = BooleanFilter(field_name="check_username")
    execution_logging = BooleanFilter(field_name="execution_logging")
    threshold = NumberFilter(field_name="threshold")


class ReputationPolicies(OnePolicyKind[ReputationPolicy]):
    model = ReputationPolicy
    queryset = ReputationPolicy.objects.all()
    serializer_class = ReputationPolicySerializer
    filterset_class = ReputationPolicyFilters


class ReputationSerializer(serializers.ModelSerializer[Reputation]):
    ip_geo_data = serializers.SerializerMethodField()
    ip_asn_data = serializers.SerializerMethodField()

    class Meta:
        model = Reputation
        fields = ["pk", "identifier", "ip", "ip_geo_data", "ip_asn_data", "score", "updated"]
        read_only_fields = fields

    def get_ip_geo_data(self, reputation: Reputation) -> dict[str, Any]:
        place = places.look(reputation.ip)
        return {"country": place.country, "city": place.city} if place.country else {}

    def get_ip_asn_data(self, reputation: Reputation) -> dict[str, Any]:
        place = places.look(reputation.ip)
        return {"asn": place.asn, "as_org": place.asn_name} if place.asn else {}


class TextInFilter(BaseInFilter, CharFilter):  # type: ignore[misc] # django-filter is untyped
    """Several texts, separated by commas."""


class ReputationFilters(Filters):
    identifier = exactly("identifier")
    identifier_in = TextInFilter(field_name="identifier", lookup_expr="in")
    ip = exactly("ip")
    score = NumberFilter(field_name="score")


@extend_schema(tags=["policies"])
class Reputations(mixins.DestroyModelMixin, ReadResource[Reputation]):
    """Deleting one forgives."""

    queryset = Reputation.objects.all()
    serializer_class = ReputationSerializer
    filterset_class = ReputationFilters
    lookup_url_kwarg = "reputation_uuid"
    lookup_value_regex = UUID
    search_fields = ["identifier", "ip"]
    orders = {"identifier": "identifier", "ip": "ip", "score": "score", "updated": "updated"}
    ordering = ["score", "-updated"]

    def get_queryset(self) -> QuerySet[Reputation]:
        return super().get_queryset().filter(expires__gt=timezone.now())

    def perform_destroy(self, instance: Reputation) -> None:
        plain_writes.delete(self.actor, instance)
