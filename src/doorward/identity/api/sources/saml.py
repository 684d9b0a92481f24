"""``/sources/saml/``: identity providers that vouch for people, and our metadata for them."""

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
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.resource import SLUG, Resource
from doorward.identity.api.sources.ldap import LDAPMappings, LDAPMappingSerializer
from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.flows.defaults import SOURCE_PRE_AUTHENTICATION
from doorward.identity.flows.models import Flow
from doorward.identity.sources.models import Source, SourceMapping
from doorward.identity.sources.saml import actions
from doorward.identity.sources.saml.models import SAMLSource

SAML = Description(
    "ak-source-saml-form",
    "SAML Source",
    "SAML Sources",
    "authentik_sources_saml.samlsource",
    "A SAML identity provider that people log in at.",
)
SAML_MAPPING = Description(
    "ak-property-mapping-source-saml-form",
    "SAML Source Property Mapping",
    "SAML Source Property Mappings",
    "authentik_sources_saml.samlsourcepropertymapping",
)


class SAMLMetadataSerializer(serializers.Serializer[Any]):
    metadata = serializers.CharField(read_only=True)
    download_url = serializers.CharField(read_only=True, required=False)


class SAMLSourceSerializer(DescribedSerializer, serializers.ModelSerializer[SAMLSource]):
    name = serializers.CharField(validators=[UniqueValidator(Source.objects.all())])
    slug = serializers.SlugField(validators=[UniqueValidator(Source.objects.all())])
    user_property_mappings = serializers.PrimaryKeyRelatedField(
        many=True, required=False, queryset=SourceMapping.objects.filter(kind=SAMLSource.KIND)
    )
    group_property_mappings = serializers.PrimaryKeyRelatedField(
        many=True, required=False, queryset=SourceMapping.objects.filter(kind=SAMLSource.KIND)
    )
    icon_url = serializers.CharField(source="icon", read_only=True)
    icon_themed_urls = serializers.SerializerMethodField()
    pre_authentication_flow = serializers.PrimaryKeyRelatedField(queryset=Flow.objects.all(), required=False)
    url_issuer = serializers.CharField(source="entity_id", read_only=True)
    verification_kp = serializers.PrimaryKeyRelatedField(
        queryset=CertificateKeyPair.objects.all(),
        error_messages={
            "required": "Signatures are always checked: name the certificate of the identity provider.",
            "null": "Signatures are always checked: name the certificate of the identity provider.",
        },
    )
    temporary_user_delete_after = Fixed("days=1")

    class Meta:
        model = SAMLSource
        fields = [
            "pk", "name", "slug", "enabled", "promoted", "authentication_flow", "enrollment_flow",
            "user_property_mappings", "group_property_mappings", *DESCRIBED, "policy_engine_mode",
            "user_matching_mode", "managed", "user_path_template", "icon", "icon_url", "icon_themed_urls",
            "group_matching_mode", "pre_authentication_flow", "issuer_override", "url_issuer", "sso_url", "slo_url",
            "allow_idp_initiated", "force_authn", "name_id_policy", "binding_type", "verification_kp", "signing_kp",
            "digest_algorithm", "signature_algorithm", "temporary_user_delete_after", "encryption_kp",
            "signed_assertion", "signed_response", "provider_entity_id", "emails_are_verified",
        ]  # fmt: skip
        read_only_fields = ["managed"]

    def describe(self, instance: SAMLSource) -> Description:
        return SAML

    def get_icon_themed_urls(self, source: SAMLSource) -> None:
        return None


class SAMLFilters(Filters):
    name = exactly("name")
    slug = exactly("slug")
    enabled = BooleanFilter(field_name="enabled")
    sso_url = exactly("sso_url")
    slo_url = exactly("slo_url")
    issuer_override = exactly("issuer_override")
    binding_type = exactly("binding_type")
    allow_idp_initiated = BooleanFilter(field_name="allow_idp_initiated")
    force_authn = BooleanFilter(field_name="force_authn")
    signed_assertion = BooleanFilter(field_name="signed_assertion")
    signed_response = BooleanFilter(field_name="signed_response")


class SAMLSources(Resource[SAMLSource]):
    queryset = SAMLSource.objects.prefetch_related("user_property_mappings", "group_property_mappings")
    serializer_class = SAMLSourceSerializer
    filterset_class = SAMLFilters
    lookup_field = "slug"
    lookup_value_regex = SLUG
    search_fields = ["name", "slug"]
    orders = {"name": "name", "slug": "slug"}
    ordering = ["name"]
    needs = {"metadata": "authentik_sources_saml.view_samlsource"}

    def make(self, data: dict[str, Any]) -> SAMLSource:
        if "pre_authentication_flow" not in data:
            data["pre_authentication_flow"] = Flow.objects.filter(slug=SOURCE_PRE_AUTHENTICATION).first()
        return actions.create(self.actor, data)

    def change(self, instance: SAMLSource, data: dict[str, Any]) -> SAMLSource:
        return actions.update(self.actor, instance, data)

    def remove(self, instance: SAMLSource) -> None:
        actions.delete(self.actor, instance)

    @extend_schema(responses=SAMLMetadataSerializer)
    @action(detail=True)
    def metadata(self, request: Request, slug: str) -> Response:
        """Who we are, for the identity provider's administrator."""
        from doorward.identity.sources.saml import service  # with its XML library, which most never need

        source = self.get_object()
        return Response({"metadata": service.metadata(source), "download_url": source.url("metadata")})


class SAMLMappingSerializer(LDAPMappingSerializer):
    def describe(self, instance: SourceMapping) -> Description:
        return SAML_MAPPING


class SAMLMappings(LDAPMappings):
    kind = SAMLSource.KIND
    queryset = SourceMapping.objects.filter(kind=kind)
    serializer_class = SAMLMappingSerializer
    blueprint_model = SAML_MAPPING.meta_model_name
