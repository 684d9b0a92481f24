"""``/policies/bindings/``: which users and groups may enter what, and which policies judge there.

Whoever may change an application may say who enters it, and who has its entitlements. What stands in the way to a flow
or a stage decides who logs in as whom, and stays with superusers.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django_filters import BaseInFilter, BooleanFilter, NumberFilter, UUIDFilter
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from doorward.identity.api.core.people import PartialGroupSerializer, PartialUserSerializer
from doorward.identity.api.filtering import Filters, uuid_of
from doorward.identity.api.flows.careful import KeepsAWayIn
from doorward.identity.api.permissions import SAFE, powers
from doorward.identity.api.policies.serializer import PolicySerializer
from doorward.identity.api.resource import UUID as UUID_PATTERN
from doorward.identity.api.resource import Resource
from doorward.identity.applications.models import Application, Entitlement
from doorward.identity.directory.models import Token
from doorward.identity.policies import actions
from doorward.identity.policies.models import PolicyBinding, PolicyTarget


class PolicyBindingSerializer(serializers.ModelSerializer[PolicyBinding]):
    policy_obj = PolicySerializer(source="policy", read_only=True, allow_null=True)
    group_obj = PartialGroupSerializer(source="group", read_only=True, allow_null=True)
    user_obj = PartialUserSerializer(source="user", read_only=True, allow_null=True)
    target = serializers.PrimaryKeyRelatedField(queryset=PolicyTarget.objects.all())
    order = serializers.IntegerField(min_value=-(2**31), max_value=2**31 - 1)

    class Meta:
        model = PolicyBinding
        fields = [
            "pk",
            "policy",
            "group",
            "user",
            "policy_obj",
            "group_obj",
            "user_obj",
            "target",
            "negate",
            "enabled",
            "order",
            "timeout",
            "failure_result",
            "expires",
            "expiring",
        ]


class UuidInFilter(BaseInFilter, UUIDFilter):  # type: ignore[misc] # django-filter is untyped
    """Several UUIDs, separated by commas."""


class PolicyBindingFilters(Filters):
    target = uuid_of("target")
    target_in = UuidInFilter(field_name="target", lookup_expr="in")
    policy = uuid_of("policy")
    policy__isnull = BooleanFilter(field_name="policy", lookup_expr="isnull")
    order = NumberFilter(field_name="order")
    enabled = BooleanFilter(field_name="enabled")
    timeout = NumberFilter(field_name="timeout")


VIEW = "authentik_policies.view_policybinding"
CHANGE = "authentik_core.change_application"


class OfManagedApplications(BasePermission):
    """Read with the permission for bindings; written, and read, by whoever may change the application."""

    def has_permission(self, request: Request, view: Any) -> bool:
        held = powers(request)
        return held.may_somewhere(CHANGE) or (request.method in SAFE and held.may(VIEW))

    def has_object_permission(self, request: Request, view: Any, obj: PolicyBinding) -> bool:
        return request.method in SAFE or may_bind(request, obj.target_id)


def may_bind(request: Request, target: UUID) -> bool:
    """Whether whoever asks decides who may enter this, or has this entitlement."""
    held = powers(request)
    limited = isinstance(request.auth, Token) and request.auth.limits is not None
    if held.everything and not limited:  # whoever decides about flows and stages can log in as anybody
        return True
    entitlement = Entitlement.objects.filter(pk=target).first()
    application = target if entitlement is None else entitlement.app_id
    return held.may(CHANGE, application) and Application.objects.filter(pk=application).exists()


class PolicyBindings(KeepsAWayIn, Resource[PolicyBinding]):
    queryset = PolicyBinding.objects.select_related("group", "user", "policy")
    permission_classes = [OfManagedApplications]
    serializer_class = PolicyBindingSerializer
    filterset_class = PolicyBindingFilters
    lookup_url_kwarg = "policy_binding_uuid"
    lookup_value_regex = UUID_PATTERN
    search_fields = ["policy__name", "group__name", "user__username"]
    orders = {"order": "order", "pk": "id"}
    ordering = ["order", "id"]

    def get_queryset(self) -> QuerySet[PolicyBinding]:
        bindings, held = super().get_queryset(), powers(self.request)
        if held.may(VIEW):
            return bindings
        managed = held.narrowed(Application.objects.all(), CHANGE)
        return bindings.filter(
            Q(target__in=managed.values("pk")) | Q(target__in=Entitlement.objects.filter(app__in=managed).values("pk"))
        )

    def make(self, data: dict[str, Any]) -> PolicyBinding:
        target = data.pop("target")
        self._require(target)
        return actions.bind(self.actor, target, **data)

    def change(self, instance: PolicyBinding, data: dict[str, Any]) -> PolicyBinding:
        if "target" in data:
            self._require(data["target"])
        return actions.update_binding(self.actor, instance, **data)

    def _require(self, target: PolicyTarget) -> None:
        if not may_bind(self.request, target.pk):
            raise PermissionDenied

    def remove(self, instance: PolicyBinding) -> None:
        actions.unbind(self.actor, instance)
