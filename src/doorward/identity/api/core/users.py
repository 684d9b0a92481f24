"""``/core/users/``: people and machine accounts."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import JSONField, QuerySet
from django_filters import BooleanFilter, CharFilter, ChoiceFilter, ModelMultipleChoiceFilter
from django_filters import IsoDateTimeFilter as DateTimeFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.core.people import UserSelfSerializer, UserSerializer
from doorward.identity.api.core.service_accounts import ServiceAccountRequest, ServiceAccountResponse, make_account
from doorward.identity.api.filtering import Filters, exactly, several, uuid_of
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.permissions import SignedIn, user_of
from doorward.identity.api.recent_login import require_recent_login
from doorward.identity.api.resource import NUMBER, Resource, flag
from doorward.identity.api.strict_json import decoded
from doorward.identity.directory import actions
from doorward.identity.directory.models import Group, User
from doorward.identity.directory.queries import superusers
from doorward.identity.events.actor import Actor
from doorward.identity.flows.recovery import link_for
from doorward.identity.logins import impersonation
from doorward.identity.logins.queries import sid_to_spare
from doorward.identity.roles.actions import set_roles_of_user
from doorward.identity.roles.models import Role

_OPERATORS = frozenset(JSONField().get_lookups())
"""What Django takes for a comparison when it stands in the place of a key."""


class UserFilters(Filters):
    username = exactly("username")
    email = exactly("email")
    name = exactly("name")
    uuid = uuid_of("uuid")
    is_active = BooleanFilter(field_name="is_active")
    is_superuser = BooleanFilter(method="by_superuser")
    type = ChoiceFilter(field_name="type", choices=User.Type.choices)
    path = exactly("path")
    path_startswith = CharFilter(field_name="path", lookup_expr="startswith")
    groups_by_name = several("groups__name", "name", Group.objects.all())
    groups_by_pk = ModelMultipleChoiceFilter(field_name="groups", queryset=Group.objects.all())
    roles_by_name = several("roles__name", "name", Role.objects.all())
    roles_by_pk = ModelMultipleChoiceFilter(field_name="roles", queryset=Role.objects.all())
    attributes = CharFilter(method="by_attributes")
    date_joined = DateTimeFilter(field_name="date_joined")
    date_joined__gt = DateTimeFilter(field_name="date_joined", lookup_expr="gt")
    date_joined__lt = DateTimeFilter(field_name="date_joined", lookup_expr="lt")
    last_login__isnull = BooleanFilter(field_name="last_login", lookup_expr="isnull")
    last_login__gt = DateTimeFilter(field_name="last_login", lookup_expr="gt")
    last_login__lt = DateTimeFilter(field_name="last_login", lookup_expr="lt")
    last_updated__gt = DateTimeFilter(field_name="last_updated", lookup_expr="gt")
    last_updated__lt = DateTimeFilter(field_name="last_updated", lookup_expr="lt")

    def by_superuser(self, users: QuerySet[User], name: str, wanted: bool) -> QuerySet[User]:
        everybody = superusers().values("pk")
        return users.filter(pk__in=everybody) if wanted else users.exclude(pk__in=everybody)

    def by_attributes(self, users: QuerySet[User], name: str, text: str) -> QuerySet[User]:
        """Users whose attributes hold each top-level key with this value."""
        wanted = decoded(text.encode())
        if not isinstance(wanted, dict):
            raise ValidationError({"attributes": ["Value must be a JSON object."]})
        for key, value in wanted.items():
            if "__" in key or key in _OPERATORS:  # would be read as a path or an operator
                raise ValidationError({"attributes": [f"The key {key!r} cannot be searched for."]})
            users = users.filter(**{f"attributes__{key}": value})
        return users


class PasswordRequest(serializers.Serializer[Any]):
    password = serializers.CharField(trim_whitespace=False, max_length=4096)


class ImpersonationRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(allow_blank=True, max_length=impersonation.LONGEST_REASON, default="")


class SessionUserSerializer(serializers.Serializer[Any]):
    user = UserSelfSerializer()
    original = UserSelfSerializer(required=False)
    users = UserSelfSerializer(many=True)


class UserPaths(serializers.Serializer[Any]):
    paths = serializers.ListField(child=serializers.CharField())


INCLUDE = [OpenApiParameter("include_groups", bool), OpenApiParameter("include_roles", bool)]


@extend_schema_view(list=extend_schema(parameters=INCLUDE))
class Users(Resource[User]):
    queryset = User.objects.prefetch_related("groups__parents", "roles")
    serializer_class = UserSerializer
    filterset_class = UserFilters
    needs = {
        "paths": "authentik_core.view_user",
        "set_password": "authentik_core.reset_user_password",
        "recovery": "authentik_core.reset_user_password",
        "service_account": "authentik_core.add_user",
        "impersonate": impersonation.PERMISSION,
    }
    lookup_value_regex = NUMBER
    lookup_url_kwarg = "id"
    search_fields = ["username", "name", "email", "uuid"]
    extra_parameters = ("include_groups", "include_roles")
    orders = {
        name: name for name in ("username", "name", "email", "is_active", "date_joined", "last_login", "last_updated")
    } | {"pk": "id"}
    ordering = ["username"]

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        serializer: Any = super().get_serializer(*args, **kwargs)
        if self.action == "list" and not flag(self.request, "include_groups", default=True):
            serializer.child.fields["groups_obj"] = Fixed(None)
        if self.action == "list" and not flag(self.request, "include_roles", default=True):
            serializer.child.fields["roles_obj"] = Fixed(None)
        return serializer

    def make(self, data: dict[str, Any]) -> User:
        with transaction.atomic():
            roles = data.pop("roles", [])
            user = actions.create_user(self.actor, **data)
            set_roles_of_user(self.actor, user, roles)
        return user

    def change(self, instance: User, data: dict[str, Any]) -> User:
        with transaction.atomic():
            if (roles := data.pop("roles", None)) is not None:
                set_roles_of_user(self.actor, instance, roles)
            return actions.update_user(self.actor, instance, keep_sid=self._spared(instance), **data)

    def remove(self, instance: User) -> None:
        actions.delete_user(self.actor, instance)

    @extend_schema(responses=SessionUserSerializer, filters=False)
    @action(detail=False, permission_classes=[SignedIn], pagination_class=None)
    def me(self, request: Request) -> Response:
        """Whoever asks."""
        own = UserSelfSerializer(user_of(request)).data
        answer = {"user": own, "users": [own]}
        if request.auth is None and (original := Actor.of(request._request).impersonator) is not None:
            answer["original"] = UserSelfSerializer(original).data
        return Response(answer)

    @extend_schema(request=ImpersonationRequest, responses={204: None})
    @action(detail=True, methods=["post"])
    def impersonate(self, request: Request, id: str) -> Response:  # noqa: A002 - the path's name for it
        """Act as this user, in the browser that asks."""
        asked = ImpersonationRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        if request.auth is not None:
            raise ValidationError({"non_field_errors": ["A token acts as nobody else; this is for browsers."]})
        impersonation.begin(request._request, self.get_object(), asked.validated_data["reason"])
        return Response(status=204)

    @extend_schema(responses={204: None}, filters=False)
    @action(detail=False, permission_classes=[SignedIn], pagination_class=None)
    def impersonate_end(self, request: Request) -> Response:
        """Be oneself again; nothing happens to whoever is."""
        if request.auth is None:
            impersonation.end(request._request)
        return Response(status=204)

    @extend_schema(responses=UserPaths, filters=False)
    @action(detail=False, pagination_class=None)
    def paths(self, request: Request) -> Response:
        """The folders in which there are users."""
        paths = User.objects.order_by("path").values_list("path", flat=True).distinct()
        return Response({"paths": list(paths)})

    @extend_schema(request=PasswordRequest, responses={204: None})
    @action(detail=True, methods=["post"])
    def set_password(self, request: Request, id: str) -> Response:  # noqa: A002 - the path's name for it
        """The only way to write a password. Ends the user's sessions, but for the one that asks."""
        asked = PasswordRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        user = self.get_object()
        actions.set_password(self.actor, user, asked.validated_data["password"], keep_sid=self._spared(user))
        return Response(status=204)

    def _spared(self, user: User) -> str:
        """The browser's own login, when it acts on its own user."""
        return "" if self.request.auth is not None else sid_to_spare(self.request._request, user)

    @extend_schema(request=ServiceAccountRequest, responses={200: ServiceAccountResponse})
    @action(detail=False, methods=["post"])
    def service_account(self, request: Request) -> Response:
        """A machine account with an app password, which is shown in this answer and never again."""
        asked = ServiceAccountRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(make_account(self.actor, **asked.validated_data))

    @extend_schema(request=None, responses={200: {"type": "object", "properties": {"link": {"type": "string"}}}})
    @action(detail=True, methods=["post"])
    def recovery(self, request: Request, id: str) -> Response:  # noqa: A002 - the path's name for it
        """A link with which the user can choose a new password, to be handed over in person."""
        require_recent_login(request)
        link = link_for(Actor.of(request._request), self.get_object())
        if link is None:
            raise ValidationError({"non_field_errors": ["No recovery flow set."]})
        return Response({"link": link})
