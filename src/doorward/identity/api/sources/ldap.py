"""``/sources/ldap/``: directories, how their copying goes, and what is in them. The password is written, never read."""

from __future__ import annotations

from typing import Any

from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from doorward.identity.api import plain_writes
from doorward.identity.api.described import DESCRIBED, DescribedSerializer, Description
from doorward.identity.api.filtering import Filters, exactly, several
from doorward.identity.api.resource import SLUG, UUID, Resource
from doorward.identity.policies.models import require_expression
from doorward.identity.sources.ldap import actions, trial
from doorward.identity.sources.ldap.models import LDAPSource, Sync
from doorward.identity.sources.models import Source, SourceMapping

LDAP = Description(
    "ak-source-ldap-form",
    "LDAP Source",
    "LDAP Sources",
    "authentik_sources_ldap.ldapsource",
    "People and groups of an LDAP directory or Active Directory.",
)
LDAP_MAPPING = Description(
    "ak-property-mapping-source-ldap-form",
    "LDAP Source Property Mapping",
    "LDAP Source Property Mappings",
    "authentik_sources_ldap.ldapsourcepropertymapping",
)


class LDAPSourceSerializer(DescribedSerializer, serializers.ModelSerializer[LDAPSource]):
    name = serializers.CharField(validators=[UniqueValidator(Source.objects.all())])
    slug = serializers.SlugField(validators=[UniqueValidator(Source.objects.all())])
    user_property_mappings = serializers.PrimaryKeyRelatedField(
        many=True, required=False, queryset=SourceMapping.objects.filter(kind=LDAPSource.KIND)
    )
    group_property_mappings = serializers.PrimaryKeyRelatedField(
        many=True, required=False, queryset=SourceMapping.objects.filter(kind=LDAPSource.KIND)
    )
    bind_password = serializers.CharField(write_only=True, required=False, allow_blank=True, max_length=4096)
    sync_users_password = serializers.BooleanField(required=False, write_only=True)
    icon_url = serializers.CharField(source="icon", read_only=True)
    icon_themed_urls = serializers.SerializerMethodField()
    connectivity = serializers.SerializerMethodField()

    class Meta:
        model = LDAPSource
        fields = [
            "pk", "name", "slug", "enabled", "promoted", "authentication_flow", "enrollment_flow",
            "user_property_mappings", "group_property_mappings", *DESCRIBED, "policy_engine_mode",
            "user_matching_mode", "managed", "user_path_template", "icon", "icon_url", "icon_themed_urls",
            "server_uri", "peer_certificate", "client_certificate", "bind_cn", "bind_password", "start_tls", "sni",
            "base_dn", "additional_user_dn", "additional_group_dn", "user_object_filter", "group_object_filter",
            "group_membership_field", "user_membership_attribute", "object_uniqueness_field",
            "password_login_update_internal_password", "sync_users", "sync_users_password", "sync_groups",
            "sync_parent_group", "connectivity", "lookup_groups_from_user", "delete_not_found_objects",
            "sync_group_hierarchy",
        ]  # fmt: skip
        read_only_fields = ["managed"]

    def describe(self, instance: LDAPSource) -> Description:
        return LDAP

    def get_icon_themed_urls(self, source: LDAPSource) -> None:
        return None

    def get_connectivity(self, source: LDAPSource) -> dict[str, dict[str, str]] | None:
        state = Sync.objects.filter(source=source).first()
        if state is None or state.ended is None:
            return None
        return {source.server_uri: {"status": state.failure or "ok"}}

    def validate_sync_users_password(self, wanted: bool) -> bool:
        if wanted:
            raise serializers.ValidationError("Passwords are not written to directories.")
        return wanted


class LDAPFilters(Filters):
    name = exactly("name")
    slug = exactly("slug")
    enabled = BooleanFilter(field_name="enabled")
    server_uri = exactly("server_uri")
    base_dn = exactly("base_dn")
    bind_cn = exactly("bind_cn")
    sync_users = BooleanFilter(field_name="sync_users")
    sync_groups = BooleanFilter(field_name="sync_groups")


class SyncStatusSerializer(serializers.Serializer[Any]):
    is_running = serializers.BooleanField()
    last_successful_sync = serializers.DateTimeField(allow_null=True)
    last_sync_status = serializers.ChoiceField(["done", "error", "running", "queued"], allow_null=True)
    message = serializers.CharField()
    users = serializers.IntegerField()
    groups = serializers.IntegerField()


class LDAPDebugSerializer(serializers.Serializer[Any]):
    user = serializers.ListField(child=serializers.DictField())
    group = serializers.ListField(child=serializers.DictField())
    membership = serializers.ListField(child=serializers.DictField())


class LDAPSources(Resource[LDAPSource]):
    queryset = LDAPSource.objects.prefetch_related("user_property_mappings", "group_property_mappings")
    serializer_class = LDAPSourceSerializer
    filterset_class = LDAPFilters
    lookup_field = "slug"
    lookup_value_regex = SLUG
    search_fields = ["name", "slug"]
    orders = {"name": "name", "slug": "slug"}
    ordering = ["name"]
    needs = {"sync_status": "authentik_sources_ldap.view_ldapsource", "sync": None, "debug": None}

    def make(self, data: dict[str, Any]) -> LDAPSource:
        data.pop("sync_users_password", None)
        return actions.create(self.actor, data)

    def change(self, instance: LDAPSource, data: dict[str, Any]) -> LDAPSource:
        data.pop("sync_users_password", None)
        return actions.update(self.actor, instance, data)

    def remove(self, instance: LDAPSource) -> None:
        actions.delete(self.actor, instance)

    @extend_schema(responses=SyncStatusSerializer)
    @action(detail=True, url_path="sync/status")
    def sync_status(self, request: Request, slug: str) -> Response:
        """How the copying of this directory goes."""
        return Response(SyncStatusSerializer(_status(self.get_object())).data)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def sync(self, request: Request, slug: str) -> Response:
        """Copy the directory as soon as possible."""
        actions.want_sync(self.actor, self.get_object())
        return Response(status=204)

    @extend_schema(responses=LDAPDebugSerializer)
    @action(detail=True)
    def debug(self, request: Request, slug: str) -> Response:
        """The first entries of the directory, as they are there."""
        found = trial.tried(self.get_object())
        if found.failure:
            raise serializers.ValidationError({"non_field_errors": [found.failure]})
        user, group = (
            [entry.plain() for entry in part.entries] if part else [] for part in (found.users, found.groups)
        )
        return Response({"user": user, "group": group, "membership": []})


class LDAPMappingSerializer(DescribedSerializer, serializers.ModelSerializer[SourceMapping]):
    class Meta:
        model = SourceMapping
        fields = ["pk", "managed", "name", "expression", *DESCRIBED]
        read_only_fields = ["managed"]

    def describe(self, instance: SourceMapping) -> Description:
        return LDAP_MAPPING

    def validate_expression(self, expression: str) -> str:
        require_expression(expression)
        return expression


class MappingFilters(Filters):
    name = exactly("name")
    managed = several("managed", "managed", SourceMapping.objects.filter(managed__isnull=False))


class LDAPMappings(Resource[SourceMapping]):
    kind = LDAPSource.KIND
    queryset = SourceMapping.objects.filter(kind=kind)
    serializer_class = LDAPMappingSerializer
    filterset_class = MappingFilters
    lookup_url_kwarg = "pm_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name"}
    ordering = ["name"]
    blueprint_model = LDAP_MAPPING.meta_model_name

    def make(self, data: dict[str, Any]) -> SourceMapping:
        return plain_writes.create(self.actor, SourceMapping, {**data, "kind": self.kind})

    def change(self, instance: SourceMapping, data: dict[str, Any]) -> SourceMapping:
        _refuse_shipped(instance)
        return plain_writes.update(self.actor, instance, data)

    def remove(self, instance: SourceMapping) -> None:
        _refuse_shipped(instance)
        plain_writes.delete(self.actor, instance)


def _refuse_shipped(mapping: SourceMapping) -> None:
    if mapping.managed:
        raise serializers.ValidationError(
            {"non_field_errors": ["This mapping is shipped with Doorward and cannot be changed."]}
        )


def _status(source: LDAPSource) -> dict[str, object]:
    state = Sync.objects.filter(source=source).first()
    if state is None or state.begun is None:
        return {
            "is_running": False,
            "last_successful_sync": None,
            "last_sync_status": None,
            "message": "",
            "users": 0,
            "groups": 0,
        }
    status = "running" if state.is_running else "error" if state.failure else "done"
    if not state.is_running and state.wanted is not None and state.wanted > state.begun:
        status = "queued"
    return {
        "is_running": state.is_running,
        "last_successful_sync": state.succeeded,
        "last_sync_status": status,
        "message": state.failure,
        "users": state.users,
        "groups": state.groups,
    }
