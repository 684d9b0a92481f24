"""``/core/groups/``: groups, their hierarchy and their members."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django_filters import BooleanFilter, ModelMultipleChoiceFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.core.people import PartialUserSerializer, RelatedGroupSerializer, RoleSerializer
from doorward.identity.api.filtering import Filters, exactly, several
from doorward.identity.api.permissions import visible
from doorward.identity.api.resource import UUID, Resource, flag
from doorward.identity.directory import actions
from doorward.identity.directory.models import Group, User
from doorward.identity.roles.actions import set_roles_of_group
from doorward.identity.roles.models import Role
from doorward.identity.roles.queries import inherited_by

INCLUDE = {"include_users": "users_obj", "include_parents": "parents_obj", "include_children": "children_obj"}
"""Query parameter → the part of the answer that it switches off."""


class GroupSerializer(serializers.ModelSerializer[Group]):
    parents = serializers.PrimaryKeyRelatedField(many=True, queryset=Group.objects.all(), required=False)
    parents_obj = RelatedGroupSerializer(source="parents", many=True, read_only=True, allow_null=True)
    users = serializers.PrimaryKeyRelatedField(many=True, queryset=User.objects.all(), required=False)
    users_obj = PartialUserSerializer(source="users", many=True, read_only=True, allow_null=True)
    children: Any = serializers.PrimaryKeyRelatedField(many=True, read_only=True)
    children_obj = RelatedGroupSerializer(source="children", many=True, read_only=True, allow_null=True)
    attributes = serializers.DictField(required=False)
    roles = serializers.PrimaryKeyRelatedField(many=True, queryset=Role.objects.all(), required=False)
    roles_obj = RoleSerializer(source="roles", many=True, read_only=True)
    inherited_roles_obj = serializers.SerializerMethodField()

    class Meta:
        model = Group
        fields = [
            "pk",
            "num_pk",
            "name",
            "is_superuser",
            "parents",
            "parents_obj",
            "users",
            "users_obj",
            "attributes",
            "roles",
            "roles_obj",
            "inherited_roles_obj",
            "children",
            "children_obj",
        ]
        read_only_fields = ["num_pk"]

    @extend_schema_field(RoleSerializer(many=True))
    def get_inherited_roles_obj(self, group: Group) -> Any:
        return RoleSerializer(inherited_by(group), many=True).data

    def to_representation(self, instance: Group) -> dict[str, Any]:
        answer = super().to_representation(instance)
        request = self.context.get("request")
        for parameter, part in INCLUDE.items():
            if request is not None and not flag(request, parameter, default=True):
                answer[part] = None
        return answer


class GroupFilters(Filters):
    name = exactly("name")
    is_superuser = BooleanFilter(field_name="is_superuser")
    members_by_username = several("users__username", "username", User.objects.all())
    members_by_pk = ModelMultipleChoiceFilter(field_name="users", queryset=User.objects.all())


class MemberRequest(serializers.Serializer[Any]):
    pk = serializers.IntegerField(min_value=0)


PARAMETERS = [OpenApiParameter(name, bool) for name in (*INCLUDE, "include_inherited_roles")]


@extend_schema_view(list=extend_schema(parameters=PARAMETERS), retrieve=extend_schema(parameters=PARAMETERS))
class Groups(Resource[Group]):
    queryset = Group.objects.prefetch_related("parents", "children", "users", "roles")
    serializer_class = GroupSerializer
    filterset_class = GroupFilters
    needs = {
        "add_user": "authentik_core.add_user_to_group",
        "remove_user": "authentik_core.remove_user_from_group",
    }
    lookup_url_kwarg = "group_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    extra_parameters = (*INCLUDE, "include_inherited_roles")
    orders = {"name": "name", "is_superuser": "is_superuser", "num_pk": "num_pk"}
    ordering = ["name"]

    def make(self, data: dict[str, Any]) -> Group:
        with transaction.atomic():
            roles = data.pop("roles", [])
            group = actions.create_group(self.actor, **data)
            set_roles_of_group(self.actor, group, roles)
        return group

    def change(self, instance: Group, data: dict[str, Any]) -> Group:
        with transaction.atomic():
            if (roles := data.pop("roles", None)) is not None:
                set_roles_of_group(self.actor, instance, roles)
            return actions.update_group(self.actor, instance, **data)

    def remove(self, instance: Group) -> None:
        actions.delete_group(self.actor, instance)

    @extend_schema(request=MemberRequest, responses={204: None, 404: None})
    @action(detail=True, methods=["post"])
    def add_user(self, request: Request, group_uuid: str) -> Response:
        actions.add_member(self.actor, self.get_object(), self._member(request))
        return Response(status=204)

    @extend_schema(request=MemberRequest, responses={204: None, 404: None})
    @action(detail=True, methods=["post"])
    def remove_user(self, request: Request, group_uuid: str) -> Response:
        actions.remove_member(self.actor, self.get_object(), self._member(request))
        return Response(status=204)

    def _member(self, request: Request) -> User:
        asked = MemberRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        return get_object_or_404(visible(self.request, User.objects.all()), pk=asked.validated_data["pk"])
