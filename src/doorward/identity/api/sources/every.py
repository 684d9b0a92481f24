"""``/sources/all/``: sources of every kind, and those that whoever asks can connect themselves to."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.described import DESCRIBED, DescribedSerializer, Description, TypeCreate, menu
from doorward.identity.api.filtering import Filters, exactly, several, uuid_of
from doorward.identity.api.permissions import Permitted, SignedIn, user_of
from doorward.identity.api.resource import SLUG, ReadResource
from doorward.identity.api.sources.ldap import LDAP
from doorward.identity.api.sources.oauth import OAUTH
from doorward.identity.api.sources.saml import SAML
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.queries import verdict
from doorward.identity.sources import connecting
from doorward.identity.sources.ldap import actions as ldap
from doorward.identity.sources.models import Source
from doorward.identity.sources.oauth import actions as oauth
from doorward.identity.sources.saml import actions as saml

KINDS: dict[str, Description] = {"ldap": LDAP, "oauth": OAUTH, "saml": SAML}
DELETE: dict[str, Any] = {"ldap": ldap.delete, "oauth": oauth.delete, "saml": saml.delete}
"""Kind → the action that removes one."""


class SourceSerializer(DescribedSerializer, serializers.ModelSerializer[Source]):
    """What all kinds have; each kind's own resource has the rest."""

    icon_url = serializers.CharField(source="icon", read_only=True)
    icon_themed_urls = serializers.SerializerMethodField()

    class Meta:
        model = Source
        fields = [
            "pk", "name", "slug", "enabled", "promoted", "authentication_flow", "enrollment_flow",
            "user_property_mappings", "group_property_mappings", *DESCRIBED, "policy_engine_mode",
            "user_matching_mode", "managed", "user_path_template", "icon", "icon_url", "icon_themed_urls",
        ]  # fmt: skip
        read_only_fields = fields

    def describe(self, instance: Source) -> Description:
        return KINDS[instance.kind]

    def get_icon_themed_urls(self, source: Source) -> None:
        return None


class UserSettingSerializer(serializers.Serializer[Any]):
    object_uid = serializers.CharField()
    component = serializers.CharField()
    title = serializers.CharField()
    configure_url = serializers.CharField()
    icon_url = serializers.CharField()


class SourceFilters(Filters):
    name = exactly("name")
    slug = exactly("slug")
    managed = several("managed", "managed", Source.objects.filter(managed__isnull=False))
    pbm_uuid = uuid_of("id")


class Sources(mixins.DestroyModelMixin, ReadResource[Source]):
    queryset = Source.objects.prefetch_related("user_property_mappings", "group_property_mappings")
    serializer_class = SourceSerializer
    filterset_class = SourceFilters
    lookup_field = "slug"
    lookup_value_regex = SLUG
    search_fields = ["name", "slug"]
    orders = {"name": "name", "slug": "slug"}
    ordering = ["name"]

    def get_permissions(self) -> list[Any]:
        """What one can connect oneself to, everybody may ask."""
        return [SignedIn()] if self.action == "user_settings" else [Permitted()]

    def perform_destroy(self, instance: Source) -> None:
        DELETE[instance.kind](self.actor, instance.concrete())

    @extend_schema(responses=TypeCreate(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def types(self, request: Request) -> Response:
        """The kinds of sources that can be created."""
        return menu(*KINDS.values())

    @extend_schema(responses=UserSettingSerializer(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def user_settings(self, request: Request) -> Response:
        """Where whoever asks can connect an account of theirs: on their own page, by hand."""
        user, asked = user_of(request), Asked.by(request._request)
        found = [
            {
                "object_uid": source.slug,
                "component": f"ak-user-settings-source-{source.kind}",
                "title": source.name,
                "configure_url": reverse("own-sources"),
                "icon_url": source.icon,
            }
            for source in Source.objects.filter(enabled=True, kind__in=connecting.CONNECTS)
            if verdict(source, user, asked).passing
        ]
        return Response(UserSettingSerializer(found, many=True).data)
