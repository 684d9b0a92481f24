"""``/core/brands/``: how the pages look, and which flows they start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from doorward.identity.api.filtering import Filters, exactly, uuid_of
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.permissions import Everybody
from doorward.identity.api.resource import UUID, Resource
from doorward.identity.brands import actions
from doorward.identity.brands.look import THEMES, setting
from doorward.identity.brands.models import Brand
from doorward.identity.brands.queries import current_brand
from doorward.identity.system import queries as system


class BrandSerializer(serializers.ModelSerializer[Brand]):
    domain = serializers.CharField(max_length=253, validators=[UniqueValidator(Brand.objects.all())])
    attributes = serializers.DictField(required=False)
    branding_map_tiles = Fixed("")
    flow_user_switch = Fixed(None)
    flow_lockdown = Fixed(None)
    flow_request = Fixed(None)
    web_certificate = Fixed(None)
    client_certificates = Fixed([])

    class Meta:
        model = Brand
        fields = [
            "brand_uuid",
            "domain",
            "default",
            "branding_title",
            "branding_logo",
            "branding_favicon",
            "branding_custom_css",
            "branding_default_flow_background",
            "branding_map_tiles",
            "flow_authentication",
            "flow_user_switch",
            "flow_invalidation",
            "flow_recovery",
            "flow_unenrollment",
            "flow_user_settings",
            "flow_device_code",
            "flow_lockdown",
            "flow_request",
            "default_application",
            "web_certificate",
            "client_certificates",
            "attributes",
        ]

    def validate_default(self, default: bool) -> bool:
        others = Brand.objects.filter(default=True)
        if isinstance(self.instance, Brand):
            others = others.exclude(pk=self.instance.pk)
        if default and others.exists():
            raise serializers.ValidationError("There is a default brand already.")
        return default


class FooterLinkSerializer(serializers.Serializer[Any]):
    href = serializers.CharField(allow_null=True)
    name = serializers.CharField()


class CurrentBrandSerializer(serializers.Serializer[Brand]):
    """What the pages that anybody can see are made with."""

    matched_domain = serializers.CharField(source="domain")
    branding_title = serializers.CharField()
    branding_logo = serializers.CharField()
    branding_logo_themed_urls = Fixed(None)
    branding_favicon = serializers.CharField()
    branding_favicon_themed_urls = Fixed(None)
    branding_custom_css = Fixed("")
    branding_map_tiles = Fixed("")
    ui_footer_links = serializers.SerializerMethodField()
    ui_theme = serializers.SerializerMethodField()
    flow_authentication = serializers.SlugField(source="flow_authentication.slug", default=None, allow_null=True)
    flow_invalidation = serializers.SlugField(source="flow_invalidation.slug", default=None, allow_null=True)
    flow_recovery = serializers.SlugField(source="flow_recovery.slug", default=None, allow_null=True)
    flow_unenrollment = serializers.SlugField(source="flow_unenrollment.slug", default=None, allow_null=True)
    flow_user_settings = serializers.SlugField(source="flow_user_settings.slug", default=None, allow_null=True)
    flow_device_code = serializers.SlugField(source="flow_device_code.slug", default=None, allow_null=True)
    default_locale = serializers.SerializerMethodField()
    flags = Fixed({"flows_continuous_login": False, "flows_refresh_others": False})

    @extend_schema_field(FooterLinkSerializer(many=True))
    def get_ui_footer_links(self, brand: Brand) -> list[dict[str, Any]]:
        return [{"href": link.get("href") or None, "name": link["name"]} for link in system.current().footer_links]

    def get_ui_theme(self, brand: Brand) -> str:
        theme = setting(brand, "theme", "base")
        return theme if theme in THEMES else "automatic"

    def get_default_locale(self, brand: Brand) -> str:
        return setting(brand, "locale") or settings.LANGUAGE_CODE


class BrandFilters(Filters):
    brand_uuid = uuid_of("pk")
    domain = exactly("domain")
    default = BooleanFilter(field_name="default")
    branding_title = exactly("branding_title")
    branding_logo = exactly("branding_logo")
    branding_favicon = exactly("branding_favicon")
    flow_authentication = uuid_of("flow_authentication")
    flow_invalidation = uuid_of("flow_invalidation")
    flow_recovery = uuid_of("flow_recovery")
    flow_unenrollment = uuid_of("flow_unenrollment")
    flow_user_settings = uuid_of("flow_user_settings")
    flow_device_code = uuid_of("flow_device_code")
    branding_default_flow_background = exactly("branding_default_flow_background")


class Brands(Resource[Brand]):
    queryset = Brand.objects.all()
    serializer_class = BrandSerializer
    filterset_class = BrandFilters
    lookup_url_kwarg = "brand_uuid"
    lookup_value_regex = UUID
    search_fields = ["domain", "branding_title"]
    orders = {"domain": "domain", "branding_title": "branding_title"}
    ordering = ["domain"]

    def make(self, data: dict[str, Any]) -> Brand:
        return actions.create_brand(self.actor, **data)

    def change(self, instance: Brand, data: dict[str, Any]) -> Brand:
        return actions.update_brand(self.actor, instance, **data)

    def remove(self, instance: Brand) -> None:
        if instance.default:
            raise ValidationError({"non_field_errors": ["The default brand cannot be deleted."]})
        actions.delete_brand(self.actor, instance)

    @extend_schema(responses=CurrentBrandSerializer, filters=False)
    @action(detail=False, permission_classes=[Everybody], pagination_class=None)
    def current(self, request: Request) -> Response:
        """The brand of this site."""
        return Response(CurrentBrandSerializer(current_brand()).data)
