"""``/core/application_entitlements/``: rights inside an application, given by whoever may change the application."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from doorward.identity.api.filtering import Filters, exactly, uuid_of
from doorward.identity.api.permissions import SAFE, powers
from doorward.identity.api.resource import UUID, Resource
from doorward.identity.applications import entitlements
from doorward.identity.applications.models import Application, Entitlement

VIEW = "authentik_core.view_application"
CHANGE = "authentik_core.change_application"


class EntitlementSerializer(serializers.ModelSerializer[Entitlement]):
    pbm_uuid = serializers.UUIDField(source="pk", read_only=True)
    app = serializers.PrimaryKeyRelatedField(queryset=Application.objects.all())
    attributes = serializers.DictField(required=False)

    class Meta:
        model = Entitlement
        fields = ["pbm_uuid", "name", "app", "attributes"]


class EntitlementFilters(Filters):
    pbm_uuid = uuid_of("pk")
    name = exactly("name")
    app = uuid_of("app")


class OfManagedApplications(BasePermission):
    """Seen by whoever may see or change the application as an administrator, written by whoever may change it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        held = powers(request)
        return held.may_somewhere(CHANGE) or (request.method in SAFE and held.may_somewhere(VIEW))

    def has_object_permission(self, request: Request, view: Any, obj: Entitlement) -> bool:
        return request.method in SAFE or powers(request).may(CHANGE, obj.app_id)


class Entitlements(Resource[Entitlement]):
    queryset = Entitlement.objects.select_related("app")
    permission_classes = [OfManagedApplications]
    serializer_class = EntitlementSerializer
    filterset_class = EntitlementFilters
    lookup_url_kwarg = "pbm_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name", "app": "app__name", "pbm_uuid": "id"}
    ordering = ["name"]

    def get_queryset(self) -> QuerySet[Entitlement]:
        held, applications = powers(self.request), Application.objects.all()
        shown = Q(app__in=held.narrowed(applications, CHANGE)) | Q(app__in=held.narrowed(applications, VIEW))
        return super().get_queryset().filter(shown)

    def make(self, data: dict[str, Any]) -> Entitlement:
        application = data.pop("app")
        self._require(application)
        return entitlements.create_entitlement(self.actor, application, **data)

    def change(self, instance: Entitlement, data: dict[str, Any]) -> Entitlement:
        if data.pop("app", instance.app) != instance.app:
            raise serializers.ValidationError({"app": ["An entitlement stays with its application."]})
        return entitlements.update_entitlement(self.actor, instance, **data)

    def remove(self, instance: Entitlement) -> None:
        entitlements.delete_entitlement(self.actor, instance)

    def _require(self, application: Application) -> None:
        if not powers(self.request).may(CHANGE, application.pk):
            raise PermissionDenied
