"""What all kinds of providers have in common."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from doorward.identity.api.described import DESCRIBED, PROVIDERS, DescribedSerializer, Description
from doorward.identity.api.fixed import Fixed
from doorward.identity.applications.models import Application, Provider
from doorward.identity.flows.models import Flow
from doorward.identity.oauth2.models import ScopeMapping

ASSIGNED = (
    "assigned_application_slug",
    "assigned_application_name",
    "assigned_backchannel_application_slug",
    "assigned_backchannel_application_name",
)
COMMON = ["pk", "name", "authentication_flow", "authorization_flow", "invalidation_flow", "property_mappings"]
SHARED_FIELDS = [*COMMON, *DESCRIBED, *ASSIGNED]
PREFETCH = ("oauth2provider__scope_mappings",)


def application_of(provider: Provider) -> Application | None:
    """The application that this provider lets people into."""
    found: Application | None = getattr(provider, "application", None)
    return found


class ProviderFields(DescribedSerializer):
    """Mixed into the serializer of each kind. Names are unique over all kinds."""

    name = serializers.CharField(validators=[UniqueValidator(Provider.objects.all())])
    authentication_flow = serializers.PrimaryKeyRelatedField(
        queryset=Flow.objects.all(), required=False, allow_null=True
    )
    authorization_flow = serializers.PrimaryKeyRelatedField(queryset=Flow.objects.all())
    invalidation_flow = serializers.PrimaryKeyRelatedField(queryset=Flow.objects.all())
    property_mappings = serializers.PrimaryKeyRelatedField(
        source="scope_mappings", many=True, queryset=ScopeMapping.objects.all(), required=False
    )
    assigned_application_slug = serializers.SerializerMethodField()
    assigned_application_name = serializers.SerializerMethodField()
    assigned_backchannel_application_slug = Fixed(None)
    assigned_backchannel_application_name = Fixed(None)

    def describe(self, instance: Provider) -> Description:
        return PROVIDERS[instance.kind]

    def get_assigned_application_slug(self, provider: Provider) -> str | None:
        application = application_of(provider)
        return application.slug if application else None

    def get_assigned_application_name(self, provider: Provider) -> str | None:
        application = application_of(provider)
        return application.name if application else None


class ProviderSerializer(ProviderFields, serializers.ModelSerializer[Provider]):
    """A provider of any kind, as lists and other objects show it."""

    property_mappings = serializers.SerializerMethodField()  # type: ignore[assignment]

    class Meta:
        model = Provider
        fields = SHARED_FIELDS
        read_only_fields = fields

    def get_property_mappings(self, provider: Provider) -> list[str]:
        oauth2: Any = getattr(provider, "oauth2provider", None)
        return [str(mapping.pk) for mapping in oauth2.scope_mappings.all()] if oauth2 else []


class RedirectURISerializer(serializers.Serializer[Any]):
    matching_mode = serializers.ChoiceField(["strict", "regex"])
    url = serializers.CharField(max_length=2048)
    redirect_uri_type = serializers.ChoiceField(["authorization", "logout"], default="authorization")
