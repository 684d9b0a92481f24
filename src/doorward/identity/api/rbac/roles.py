"""``/rbac/roles/``: roles and who holds them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters import BooleanFilter, CharFilter, ModelChoiceFilter, NumberFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.core.people import RoleSerializer
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.permissions import visible
from doorward.identity.api.resource import UUID, Resource, flag
from doorward.identity.directory.models import Group, User
from doorward.identity.roles import actions
from doorward.identity.roles.models import Role
from doorward.identity.roles.queries import inherited_by, roles_of


class RoleFilters(Filters):
    name = exactly("name")
    users = NumberFilter(method="of_user")
    groups = ModelChoiceFilter(method="of_group", queryset=Group.objects.all())
    managed = CharFilter(method="by_manager")
    managed__isnull = BooleanFilter(method="without_manager")

    def of_user(self, roles: QuerySet[Role], name: str, number: int) -> QuerySet[Role]:
        user = User.objects.filter(pk=number).first() if 0 <= number < 2**63 else None
        if user is None:
            return roles.none()
        if flag(self.request, "inherited", default=False):
            return roles.filter(pk__in=roles_of(user).values("pk"))
        return roles.filter(users=user)

    def of_group(self, roles: QuerySet[Role], name: str, group: Group) -> QuerySet[Role]:
        held = [role.pk for role in group.roles.all()]
        if flag(self.request, "inherited", default=False):
            held += [role.pk for role in inherited_by(group)]
        return roles.filter(pk__in=held)

    def by_manager(self, roles: QuerySet[Role], name: str, wanted: str) -> QuerySet[Role]:
        """No role is anybody's but its administrators'."""
        return roles.none()

    def without_manager(self, roles: QuerySet[Role], name: str, without: bool) -> QuerySet[Role]:
        return roles if without else roles.none()


class HolderRequest(serializers.Serializer[Any]):
    pk = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


@extend_schema_view(list=extend_schema(parameters=[OpenApiParameter("inherited", bool)]))
class Roles(Resource[Role]):
    queryset = Role.objects.all()
    serializer_class = RoleSerializer
    filterset_class = RoleFilters
    needs = {"add_user": actions.CHANGE, "remove_user": actions.CHANGE}
    lookup_url_kwarg = "uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    extra_parameters = ("inherited",)
    orders = {"name": "name"}
    ordering = ["name"]

    def make(self, data: dict[str, Any]) -> Role:
        return actions.create_role(self.actor, **data)

    def change(self, instance: Role, data: dict[str, Any]) -> Role:
        return actions.rename_role(self.actor, instance, data.get("name", instance.name))

    def remove(self, instance: Role) -> None:
        actions.delete_role(self.actor, instance)

    @extend_schema(request=HolderRequest, responses={204: None, 404: None})
    @action(detail=True, methods=["post"])
    def add_user(self, request: Request, uuid: str) -> Response:
        actions.add_user(self.actor, self.get_object(), self._holder(request))
        return Response(status=204)

    @extend_schema(request=HolderRequest, responses={204: None, 404: None})
    @action(detail=True, methods=["post"])
    def remove_user(self, request: Request, uuid: str) -> Response:
        actions.remove_user(self.actor, self.get_object(), self._holder(request))
        return Response(status=204)

    def _holder(self, request: Request) -> User:
        asked = HolderRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        return get_object_or_404(visible(request, User.objects.all()), pk=asked.validated_data["pk"])
