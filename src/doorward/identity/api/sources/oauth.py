"""``/sources/oauth/``: providers that people log in at. The secret is written, never read; superusers only write."""

from __future__ import annotations

from typing import Any

from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from doorward.identity.api.described import DESCRIBED, DescribedSerializer, Description
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.resource import SLUG, Resource
from doorward.identity.api.sources.ldap import LDAPMappings, LDAPMappingSerializer
from doorward.identity.sources.models import OAuthSource, Source, SourceMapping
from doorward.identity.sources.oauth import actions, login
from doorward.identity.sources.oauth.presets import BY_NAME, CHOICES, PRESETS, Preset

OAUTH = Description(
    "ak-source-oauth-form",
    "OAuth Source",
    "OAuth Sources",
    "authentik_sources_oauth.oauthsource",
    "A provider of OAuth 2 or OpenID Connect that people log in at.",
)
OAUTH_MAPPING = Description(
    "ak-property-mapping-source-oauth-form",
    "OAuth Source Property Mapping",
    "OAuth Source Property Mappings",
    "authentik_sources_oauth.oauthsourcepropertymapping",
)


class SourceTypeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    verbose_name = serializers.CharField()
    urls_customizable = serializers.BooleanField()
    request_token_url = serializers.CharField(allow_null=True)
    authorization_url = serializers.CharField(allow_null=True)
    access_token_url = serializers.CharField(allow_null=True)
    profile_url = serializers.CharField(allow_null=True)
    oidc_well_known_url = serializers.CharField(allow_null=True)
    oidc_jwks_url = serializers.CharField(allow_null=True)


def type_of(preset: Preset) -> dict[str, object]:
    return {
        "name": preset.name,
        "verbose_name": preset.title,
        "urls_customizable": preset.urls_customizable,
        "request_token_url": None,
        "authorization_url": preset.authorization_url or None,
        "access_token_url": preset.exchange_url or None,
        "profile_url": preset.profile_url or None,
        "oidc_well_known_url": preset.well_known_url or None,
        "oidc_jwks_url": preset.jwks_url or None,
    }


class OAuthSourceSerializer(DescribedSerializer, serializers.ModelSerializer[OAuthSource]):
    name = serializers.CharField(validators=[UniqueValidator(Source.objects.all())])
    slug = serializers.SlugField(validators=[UniqueValidator(Source.objects.all())])
    provider_type = serializers.ChoiceField(CHOICES)
    user_property_mappings = serializers.PrimaryKeyRelatedField(
        many=True, required=False, queryset=SourceMapping.objects.filter(kind=OAuthSource.KIND)
    )
    group_property_mappings = serializers.PrimaryKeyRelatedField(
        many=True, required=False, queryset=SourceMapping.objects.filter(kind=OAuthSource.KIND)
    )
    consumer_secret = serializers.CharField(write_only=True, max_length=8192)
    icon_url = serializers.CharField(source="icon", read_only=True)
    icon_themed_urls = serializers.SerializerMethodField()
    callback_url = serializers.SerializerMethodField()
    type = serializers.SerializerMethodField()

    class Meta:
        model = OAuthSource
        fields = [
            "pk", "name", "slug", "enabled", "promoted", "authentication_flow", "enrollment_flow",
            "user_property_mappings", "group_property_mappings", *DESCRIBED, "policy_engine_mode",
            "user_matching_mode", "managed", "user_path_template", "icon", "icon_url", "icon_themed_urls",
            "group_matching_mode", "provider_type", "request_token_url", "authorization_url", "access_token_url",
            "profile_url", "pkce", "consumer_key", "consumer_secret", "callback_url", "additional_scopes", "type",
            "oidc_well_known_url", "oidc_jwks_url", "oidc_jwks", "authorization_code_auth_method",
        ]  # fmt: skip
        read_only_fields = ["managed"]

    def describe(self, instance: OAuthSource) -> Description:
        return OAUTH

    def get_icon_themed_urls(self, source: OAuthSource) -> None:
        return None

    def get_callback_url(self, source: OAuthSource) -> str:
        return login.callback_url(source)

    @extend_schema(responses=SourceTypeSerializer)
    def get_type(self, source: OAuthSource) -> dict[str, object]:
        return type_of(BY_NAME[source.provider_type])


class OAuthFilters(Filters):
    name = exactly("name")
    slug = exactly("slug")
    enabled = BooleanFilter(field_name="enabled")
    provider_type = exactly("provider_type")
    consumer_key = exactly("consumer_key")


class OAuthSources(Resource[OAuthSource]):
    queryset = OAuthSource.objects.prefetch_related("user_property_mappings", "group_property_mappings")
    serializer_class = OAuthSourceSerializer
    filterset_class = OAuthFilters
    lookup_field = "slug"
    lookup_value_regex = SLUG
    search_fields = ["name", "slug"]
    orders = {"name": "name", "slug": "slug"}
    ordering = ["name"]
    needs = {"source_types": "authentik_sources_oauth.view_oauthsource"}

    def make(self, data: dict[str, Any]) -> OAuthSource:
        return actions.create(self.actor, data)

    def change(self, instance: OAuthSource, data: dict[str, Any]) -> OAuthSource:
        return actions.update(self.actor, instance, data)

    def remove(self, instance: OAuthSource) -> None:
        actions.delete(self.actor, instance)

    @extend_schema(responses=SourceTypeSerializer(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def source_types(self, request: Request) -> Response:
        """The providers that are known by name."""
        return Response([type_of(preset) for preset in PRESETS])


class OAuthMappingSerializer(LDAPMappingSerializer):
    def describe(self, instance: SourceMapping) -> Description:
        return OAUTH_MAPPING


class OAuthMappings(LDAPMappings):
    kind = OAuthSource.KIND
    queryset = SourceMapping.objects.filter(kind=kind)
    serializer_class = OAuthMappingSerializer
    blueprint_model = OAUTH_MAPPING.meta_model_name
