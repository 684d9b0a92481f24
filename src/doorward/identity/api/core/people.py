"""Users and groups as they appear inside other objects and in answers about them."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from doorward.identity.api.core.avatars import avatar_of
from doorward.identity.api.permissions import powers
from doorward.identity.directory.models import Group, User
from doorward.identity.roles import catalogue
from doorward.identity.roles.catalogue import PERMISSIONS
from doorward.identity.roles.models import Role
from doorward.identity.roles.queries import powers_of, roles_of


class RoleSerializer(serializers.ModelSerializer[Role]):
    class Meta:
        model = Role
        fields = ["pk", "name"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}  # the action says it in words of its own


def hide_details(serializer: serializers.BaseSerializer[Any], instance: User | Group, shown: dict[str, Any]) -> None:
    """Inside another object, attributes and address only appear for whoever could ask for this object itself."""
    request = serializer.context.get("request")
    if request is not None and not powers(request).may(catalogue.named("view", type(instance)), instance.pk):
        shown["attributes"] = {}
        if "email" in shown:
            shown["email"] = ""


class PartialGroupSerializer(serializers.ModelSerializer[Group]):
    class Meta:
        model = Group
        fields = ["pk", "num_pk", "name", "is_superuser", "attributes"]
        read_only_fields = fields

    def to_representation(self, instance: Group) -> dict[str, Any]:
        shown = super().to_representation(instance)
        hide_details(self, instance, shown)
        return shown


class RelatedGroupSerializer(serializers.ModelSerializer[Group]):
    """A parent or child of a group."""

    group_uuid = serializers.UUIDField(source="pk", read_only=True)

    class Meta:
        model = Group
        fields = ["pk", "group_uuid", "name", "is_superuser", "attributes"]
        read_only_fields = fields

    def to_representation(self, instance: Group) -> dict[str, Any]:
        shown = super().to_representation(instance)
        hide_details(self, instance, shown)
        return shown


class PartialUserSerializer(serializers.ModelSerializer[User]):
    uid = serializers.CharField(read_only=True)

    class Meta:
        model = User
        fields = ["pk", "username", "name", "is_active", "last_login", "email", "attributes", "uid"]
        read_only_fields = fields

    def to_representation(self, instance: User) -> dict[str, Any]:
        shown = super().to_representation(instance)
        hide_details(self, instance, shown)
        return shown


class UserSerializer(serializers.ModelSerializer[User]):
    """``is_superuser`` follows from groups, the password is set by its own action, and neither is written here."""

    is_superuser = serializers.BooleanField(read_only=True)
    groups = serializers.PrimaryKeyRelatedField(many=True, queryset=Group.objects.all(), required=False)
    groups_obj = PartialGroupSerializer(source="groups", many=True, read_only=True)
    roles = serializers.PrimaryKeyRelatedField(many=True, queryset=Role.objects.all(), required=False)
    roles_obj = RoleSerializer(source="roles", many=True, read_only=True)
    avatar = serializers.SerializerMethodField()
    uid = serializers.CharField(read_only=True)
    attributes = serializers.DictField(required=False)
    path = serializers.RegexField(r"^[^/]+(/[^/]+)*\Z", required=False, max_length=512)
    type = serializers.ChoiceField(User.Type.choices, required=False)

    class Meta:
        model = User
        fields = [
            "pk",
            "username",
            "name",
            "is_active",
            "last_login",
            "date_joined",
            "is_superuser",
            "groups",
            "groups_obj",
            "roles",
            "roles_obj",
            "email",
            "avatar",
            "attributes",
            "uid",
            "path",
            "type",
            "uuid",
            "password_change_date",
            "last_updated",
        ]
        read_only_fields = ["last_login", "date_joined", "uuid", "password_change_date", "last_updated"]
        extra_kwargs = {"name": {"required": True, "allow_blank": True}}

    def get_avatar(self, user: User) -> str:
        return avatar_of(user)

    def validate_type(self, kind: str) -> str:
        if kind == User.Type.INTERNAL_SERVICE_ACCOUNT and getattr(self.instance, "type", "") != kind:
            raise serializers.ValidationError("Setting a user to internal service account is not allowed.")
        return kind


class UserSelfSerializer(serializers.ModelSerializer[User]):
    """What users are told about themselves."""

    is_superuser = serializers.BooleanField(read_only=True)
    is_current = serializers.SerializerMethodField()
    groups = serializers.SerializerMethodField()
    roles = serializers.SerializerMethodField()
    avatar = serializers.SerializerMethodField()
    uid = serializers.CharField(read_only=True)
    settings = serializers.SerializerMethodField()
    system_permissions = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = [
            "pk",
            "username",
            "name",
            "is_active",
            "is_superuser",
            "is_current",
            "groups",
            "roles",
            "email",
            "avatar",
            "uid",
            "settings",
            "type",
            "system_permissions",
        ]
        read_only_fields = fields

    def get_is_current(self, user: User) -> bool:
        return True

    def get_groups(self, user: User) -> list[dict[str, str]]:
        return [{"name": group.name, "pk": str(group.pk)} for group in user.groups.all()]

    def get_roles(self, user: User) -> list[dict[str, str]]:
        return [{"name": role.name, "pk": str(role.pk)} for role in roles_of(user)]

    def get_avatar(self, user: User) -> str:
        return avatar_of(user)

    def get_settings(self, user: User) -> dict[str, Any]:
        settings = user.attributes.get("settings", {})
        return settings if isinstance(settings, dict) else {}

    def get_system_permissions(self, user: User) -> list[str]:
        held = powers_of(user)
        return [each.codename for name, each in PERMISSIONS.items() if not each.kind.model and held.may(name)]
