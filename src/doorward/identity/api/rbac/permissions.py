"""``/rbac/permissions/``: which permissions there are, which roles hold them, and giving and taking them.

The permissions are a table of the program's (``roles.catalogue``), not rows of the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as Invalid
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from doorward.identity.api.permissions import visible
from doorward.identity.api.resource import UUID, Rules
from doorward.identity.roles import actions, catalogue
from doorward.identity.roles.catalogue import PERMISSIONS, Permission
from doorward.identity.roles.models import Grant, Role

VIEW = "authentik_rbac.view_role"
Names = list[str]


class PermissionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    codename = serializers.CharField()
    model = serializers.CharField()
    app_label = serializers.CharField()
    app_label_verbose = serializers.CharField()
    model_verbose = serializers.CharField()


class RoleModelPermission(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    codename = serializers.CharField()
    model = serializers.CharField()
    app_label = serializers.CharField()
    name = serializers.CharField()


class RoleObjectPermission(RoleModelPermission):
    object_pk = serializers.CharField()


class ExtraRoleObjectPermission(RoleObjectPermission):
    app_label_verbose = serializers.CharField()
    model_verbose = serializers.CharField()
    object_description = serializers.CharField(allow_null=True)


class RoleAssigned(serializers.Serializer[Any]):
    role_pk = serializers.CharField()
    name = serializers.CharField()
    object_permissions = RoleObjectPermission(many=True)
    model_permissions = RoleModelPermission(many=True)


class PermissionAssignRequest(serializers.Serializer[Any]):
    permissions = serializers.ListField(child=serializers.CharField(max_length=150), max_length=200)
    model = serializers.CharField(required=False, allow_blank=True)
    object_pk = serializers.CharField(required=False, allow_blank=True, max_length=64)


class PermissionAssignResult(serializers.Serializer[Any]):
    id = serializers.CharField()


def described(permission: Permission) -> dict[str, Any]:
    kind = permission.kind
    return {
        "id": permission.id,
        "name": permission.words,
        "codename": permission.codename,
        "model": kind.name,
        "app_label": kind.app,
        "app_label_verbose": kind.app,
        "model_verbose": kind.words,
    }


def page_of(view: GenericViewSet[Any], rows: list[Any]) -> Response:
    """The part of a list that is not in the database which the request asks for."""
    page: Any = view.paginate_queryset(rows)
    return view.get_paginated_response(page)


class Permissions(Rules, GenericViewSet[Grant]):
    """The table, and what roles hold of it."""

    queryset = Grant.objects.select_related("role")
    serializer_class = PermissionSerializer
    needs = {"list": VIEW, "retrieve": VIEW, "roles": VIEW}
    lookup_url_kwarg = "id"
    lookup_value_regex = "[0-9]{1,10}"

    @extend_schema(
        parameters=[
            OpenApiParameter(name, str)
            for name in ("codename", "content_type__app_label", "content_type__model", "role", "search", "ordering")
        ],
        responses=PermissionSerializer(many=True),
        filters=False,
    )
    def list(self, request: Request) -> Response:
        found = [described(permission) for permission in self._wanted(request)]
        return page_of(self, found)

    def _wanted(self, request: Request) -> Iterable[Permission]:
        wanted = request.query_params
        held = None
        if wanted.get("role"):
            role = get_object_or_404(visible(request, Role.objects.all()), pk=wanted["role"])
            held = set(role.grants.filter(object_pk="").values_list("permission", flat=True))
        text = wanted.get("search", "").lower()
        for permission in PERMISSIONS.values():
            if held is not None and permission.name not in held:
                continue
            if wanted.get("codename", permission.codename) != permission.codename:
                continue
            if wanted.get("content_type__app_label", permission.kind.app) != permission.kind.app:
                continue
            if wanted.get("content_type__model", permission.kind.name) != permission.kind.name:
                continue
            if text in permission.name or text in permission.words.lower():
                yield permission

    @extend_schema(responses=PermissionSerializer, filters=False)
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 - the path's name for it
        for permission in PERMISSIONS.values():
            if permission.id == int(id):
                return Response(described(permission))
        raise NotFound

    @extend_schema(
        parameters=[OpenApiParameter("uuid", str), OpenApiParameter("search", str), OpenApiParameter("ordering", str)],
        responses=ExtraRoleObjectPermission(many=True),
        filters=False,
    )
    @action(detail=False)
    def roles(self, request: Request) -> Response:
        """What one role holds for single objects."""
        grants = Grant.objects.exclude(object_pk="")
        if wanted := request.query_params.get("uuid"):
            role = get_object_or_404(visible(request, Role.objects.all()), pk=wanted)
            grants = grants.filter(role=role)
        return page_of(self, [_with_object(request, grant) for grant in grants if grant.permission in PERMISSIONS])


def _held(grant: Grant) -> dict[str, Any]:
    permission = PERMISSIONS[grant.permission]
    shown = {
        "id": permission.id,
        "codename": permission.codename,
        "model": permission.kind.name,
        "app_label": permission.kind.app,
        "name": permission.words,
    }
    return {**shown, "object_pk": grant.object_pk} if grant.object_pk else shown


def _with_object(request: Request, grant: Grant) -> dict[str, Any]:
    kind = PERMISSIONS[grant.permission].kind
    model, name = catalogue.model_of(kind), None
    if model is not None:
        try:
            name = str(visible(request, model._default_manager.all()).get(pk=grant.object_pk))
        except (ObjectDoesNotExist, Invalid, ValueError):
            name = None
    return {**_held(grant), "app_label_verbose": kind.app, "model_verbose": kind.words, "object_description": name}


def _about(model: str) -> set[str]:
    """The permissions about a kind of objects; all where none is named."""
    kind = catalogue.kind_called(model)
    if kind is None and model:
        raise ValidationError({"model": ["There is no permission about that."]})
    return {name for name, permission in PERMISSIONS.items() if kind in (None, permission.kind)}


class AssignedByRoles(Rules, GenericViewSet[Role]):
    """Which roles may do something with a kind of objects, or with one."""

    queryset = Role.objects.prefetch_related("grants")
    serializer_class = RoleAssigned
    needs = {"list": VIEW, "assign": actions.ASSIGN, "unassign": actions.UNASSIGN}
    lookup_url_kwarg = "uuid"
    lookup_value_regex = UUID

    def get_queryset(self) -> QuerySet[Role]:
        return visible(self.request, super().get_queryset())

    @extend_schema(
        operation_id="rbac_permissions_assigned_by_roles_list",
        parameters=[
            OpenApiParameter("model", str),
            OpenApiParameter("object_pk", str),
            OpenApiParameter("search", str),
            OpenApiParameter("ordering", str),
        ],
        responses=RoleAssigned(many=True),
        filters=False,
    )
    def list(self, request: Request) -> Response:
        about = _about(request.query_params.get("model", ""))
        object_pk, rows = request.query_params.get("object_pk", ""), []
        for role in self.get_queryset():
            grants = [grant for grant in role.grants.all() if grant.permission in about]
            single = [grant for grant in grants if grant.object_pk and object_pk in ("", grant.object_pk)]
            wide = [grant for grant in grants if not grant.object_pk]
            if single or wide:
                rows.append(
                    {
                        "role_pk": str(role.pk),
                        "name": role.name,
                        "object_permissions": [_held(grant) for grant in single],
                        "model_permissions": [_held(grant) for grant in wide],
                    }
                )
        return page_of(self, rows)

    @extend_schema(
        operation_id="rbac_permissions_assigned_by_roles_assign",
        request=PermissionAssignRequest,
        responses=PermissionAssignResult(many=True),
        filters=False,
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def assign(self, request: Request, uuid: str) -> Response:
        role, names, object_pk = self._asked(request)
        grants = actions.assign(self.actor, role, names, object_pk)
        return Response([{"id": str(grant.pk)} for grant in grants])

    @extend_schema(request=PermissionAssignRequest, responses={204: None})
    @action(detail=True, methods=["patch"])
    def unassign(self, request: Request, uuid: str) -> Response:
        role, names, object_pk = self._asked(request)
        actions.unassign(self.actor, role, names, object_pk)
        return Response(status=204)

    def _asked(self, request: Request) -> tuple[Role, Names, str]:
        asked = PermissionAssignRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        model, names = asked.validated_data.get("model", ""), asked.validated_data["permissions"]
        # A codename alone belongs to the model that stands beside it.
        app = model.partition(".")[0]
        whole = [name if "." in name else f"{app}.{name}" for name in names]
        object_pk = asked.validated_data.get("object_pk", "")
        if object_pk and not model:
            raise ValidationError({"model": ["Say what the object is."]})
        for name in whole if object_pk else ():
            known = PERMISSIONS.get(name)
            if known is not None and known.kind.label != model.lower():
                raise ValidationError({"model": [f"{name} is not about {model}."]})
        return self.get_object(), whole, object_pk
