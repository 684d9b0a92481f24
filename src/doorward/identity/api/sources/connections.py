"""``/sources/user_connections/…/`` and ``/sources/group_connections/…/``: who is known where by which identifier.

People see and end their own. Making or changing one lets somebody in as its user: that takes the permission for the
connection and the one to reset the user's password, and its user is the same for good (S-603, CVE-2026-49448). The
same holds for groups, with the permission to put people into them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import QuerySet
from django_filters import NumberFilter
from rest_framework import serializers
from rest_framework.request import Request

from doorward.identity.api.core.people import PartialGroupSerializer, PartialUserSerializer
from doorward.identity.api.filtering import Filters, exactly, uuid_of
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.permissions import OwnOrPermitted, own_or_visible, powers, require, require_seen
from doorward.identity.api.recent_login import require_recent_login
from doorward.identity.api.resource import NUMBER, Resource
from doorward.identity.api.sources.every import SourceSerializer
from doorward.identity.directory.models import Group, User
from doorward.identity.sources import arrivals, connections
from doorward.identity.sources.mapping import LONGEST_IDENTIFIER
from doorward.identity.sources.models import GroupSourceConnection, Source, UserSourceConnection

C = TypeVar("C", UserSourceConnection, GroupSourceConnection)
BECOME = "authentik_core.reset_user_password"
FOR_GOOD = "A connection is for good: delete it, and make another."
_COMMON = ["source", "source_obj", "identifier", "created", "last_updated"]


class ConnectionSerializer(serializers.ModelSerializer[C], Generic[C]):
    source = serializers.PrimaryKeyRelatedField(queryset=Source.objects.all())  # type: ignore[assignment]
    source_obj = SourceSerializer(source="source", read_only=True)
    identifier = serializers.CharField(max_length=LONGEST_IDENTIFIER)

    def validate_source(self, source: Source) -> Source:
        if self.instance is not None and self.instance.source_id != source.pk:
            raise serializers.ValidationError(FOR_GOOD)
        if (kind := self.context["view"].kind) and source.kind != kind:
            raise serializers.ValidationError(f"That source is of the kind {source.kind}.")
        return Source.objects.get(pk=require_seen(self.context["request"], source.concrete()).pk)


class UserConnectionSerializer(ConnectionSerializer[UserSourceConnection]):
    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False)

    class Meta:
        model = UserSourceConnection
        fields: ClassVar[list[str]] = ["pk", "user", *_COMMON]
        validators: ClassVar[list[Any]] = []  # the action says it in words of its own

    def validate_user(self, user: User) -> User:
        if self.instance is not None and self.instance.user_id != user.pk:
            raise serializers.ValidationError(FOR_GOOD)
        return user


class UserOAuthConnectionSerializer(UserConnectionSerializer):
    access_token = serializers.CharField(write_only=True, required=False, allow_null=True, allow_blank=True)
    expires = Fixed(None)

    class Meta(UserConnectionSerializer.Meta):
        fields: ClassVar[list[str]] = [*UserConnectionSerializer.Meta.fields, "access_token", "expires"]

    def validate_access_token(self, token: str | None) -> str | None:
        if token:
            raise serializers.ValidationError("Tokens of providers are not kept.")
        return token


class UserLDAPConnectionSerializer(UserConnectionSerializer):
    user_obj = PartialUserSerializer(source="user", read_only=True)

    class Meta(UserConnectionSerializer.Meta):
        fields: ClassVar[list[str]] = [*UserConnectionSerializer.Meta.fields, "user_obj"]


class GroupConnectionSerializer(ConnectionSerializer[GroupSourceConnection]):
    group = serializers.PrimaryKeyRelatedField(queryset=Group.objects.all())

    class Meta:
        model = GroupSourceConnection
        fields: ClassVar[list[str]] = ["pk", "group", *_COMMON]
        validators: ClassVar[list[Any]] = []

    def validate_group(self, group: Group) -> Group:
        if self.instance is not None and self.instance.group_id != group.pk:
            raise serializers.ValidationError(FOR_GOOD)
        return group


class GroupLDAPConnectionSerializer(GroupConnectionSerializer):
    group_obj = PartialGroupSerializer(source="group", read_only=True)

    class Meta(GroupConnectionSerializer.Meta):
        fields: ClassVar[list[str]] = [*GroupConnectionSerializer.Meta.fields, "group_obj"]


class UserConnectionFilters(Filters):
    source__slug = exactly("source__slug")
    user = NumberFilter(field_name="user")


class GroupConnectionFilters(Filters):
    source__slug = exactly("source__slug")
    group = uuid_of("group")


class OwnOrWritten(OwnOrPermitted):
    """Their own, to see and to end; making one takes the permission."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if getattr(view, "action", None) == "create":
            return powers(request).may("authentik_core.add_usersourceconnection")
        return super().has_permission(request, view)


_OF_SOURCE = ("source__user_property_mappings", "source__group_property_mappings")
_USERS = UserSourceConnection.objects.select_related("user", "source").prefetch_related(*_OF_SOURCE)
_GROUPS = GroupSourceConnection.objects.select_related("group", "source").prefetch_related(*_OF_SOURCE)
_NOT_MADE: Sequence[str] = [method for method in Resource.http_method_names if method != "post"]
"""A connection is made at its own kind."""


class UserConnections(Resource[UserSourceConnection]):
    queryset = _USERS
    serializer_class: type[UserConnectionSerializer] = UserConnectionSerializer
    http_method_names: Sequence[str] = _NOT_MADE
    kind = ""
    """Of the sources; empty for those of every kind."""
    permission_classes = [OwnOrWritten]
    filterset_class = UserConnectionFilters
    lookup_url_kwarg = "id"
    lookup_value_regex = NUMBER
    search_fields = ["identifier", "user__username", "source__slug"]
    orders = {"pk": "pk", "identifier": "identifier", "created": "created"}
    ordering = ["pk"]

    def get_queryset(self) -> QuerySet[UserSourceConnection]:
        return own_or_visible(self.request, super().get_queryset())

    def make(self, data: dict[str, Any]) -> UserSourceConnection:
        user = data.get("user", self.request.user)
        if not isinstance(user, User):
            raise serializers.ValidationError({"user": ["This field is required."]})
        require(self.request, BECOME, user.pk)
        return connections.connect(self.actor, data["source"], user, data["identifier"])

    def change(self, instance: UserSourceConnection, data: dict[str, Any]) -> UserSourceConnection:
        require(self.request, "authentik_core.change_usersourceconnection", instance.pk)
        require(self.request, BECOME, instance.user_id)
        if data.get("identifier", instance.identifier) == instance.identifier:
            return instance
        return connections.reidentify(self.actor, instance, data["identifier"])

    def remove(self, instance: UserSourceConnection) -> None:
        require_recent_login(self.request)
        arrivals.unlink(self.actor, instance)


class UserOAuthConnections(UserConnections):
    kind = "oauth"
    queryset = _USERS.filter(source__kind=kind)
    http_method_names = Resource.http_method_names
    serializer_class = UserOAuthConnectionSerializer
    blueprint_model = "authentik_sources_oauth.useroauthsourceconnection"


class UserLDAPConnections(UserConnections):
    kind = "ldap"
    queryset = _USERS.filter(source__kind=kind)
    http_method_names = Resource.http_method_names
    serializer_class = UserLDAPConnectionSerializer
    blueprint_model = "authentik_sources_ldap.userldapsourceconnection"


class UserSAMLConnections(UserConnections):
    kind = "saml"
    queryset = _USERS.filter(source__kind=kind)
    http_method_names = Resource.http_method_names
    blueprint_model = "authentik_sources_saml.usersamlsourceconnection"


class GroupConnections(Resource[GroupSourceConnection]):
    queryset = _GROUPS
    serializer_class: type[GroupConnectionSerializer] = GroupConnectionSerializer
    http_method_names: Sequence[str] = _NOT_MADE
    kind = ""
    """Of the sources; empty for those of every kind."""
    filterset_class = GroupConnectionFilters
    lookup_url_kwarg = "id"
    lookup_value_regex = NUMBER
    search_fields = ["identifier", "group__name", "source__slug"]
    orders = {"pk": "pk", "identifier": "identifier", "created": "created"}
    ordering = ["pk"]

    def make(self, data: dict[str, Any]) -> GroupSourceConnection:
        return connections.connect_group(self.actor, data["source"], data["group"], data["identifier"])

    def change(self, instance: GroupSourceConnection, data: dict[str, Any]) -> GroupSourceConnection:
        if data.get("identifier", instance.identifier) == instance.identifier:
            return instance
        return connections.reidentify_group(self.actor, instance, data["identifier"])

    def remove(self, instance: GroupSourceConnection) -> None:
        connections.disconnect_group(self.actor, instance)


class GroupOAuthConnections(GroupConnections):
    kind = "oauth"
    queryset = _GROUPS.filter(source__kind=kind)
    http_method_names = Resource.http_method_names
    blueprint_model = "authentik_sources_oauth.groupoauthsourceconnection"


class GroupLDAPConnections(GroupConnections):
    kind = "ldap"
    queryset = _GROUPS.filter(source__kind=kind)
    http_method_names = Resource.http_method_names
    serializer_class = GroupLDAPConnectionSerializer
    blueprint_model = "authentik_sources_ldap.groupldapsourceconnection"


class GroupSAMLConnections(GroupConnections):
    kind = "saml"
    queryset = _GROUPS.filter(source__kind=kind)
    http_method_names = Resource.http_method_names
    blueprint_model = "authentik_sources_saml.groupsamlsourceconnection"
