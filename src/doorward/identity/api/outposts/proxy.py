"""``/outposts/proxy/``: what an outpost must know of the providers that it serves.

The secrets among it go to an outpost that asks with its own token, and to nobody else: a superuser sees the same
list without them (S-605).
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.viewsets import GenericViewSet

from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.outposts.serving import outpost_of
from doorward.identity.api.permissions import SignedIn, is_superuser, user_of
from doorward.identity.api.resource import FILTERS, Rules
from doorward.identity.durations import parse
from doorward.identity.oauth2.issuer import endpoints_of
from doorward.identity.outposts.models import ProxyProvider


class OpenIDConnectConfiguration(serializers.Serializer[Any]):
    issuer = serializers.CharField()
    authorization_endpoint = serializers.CharField()
    token_endpoint = serializers.CharField()
    userinfo_endpoint = serializers.CharField()
    end_session_endpoint = serializers.CharField()
    introspection_endpoint = serializers.CharField()
    jwks_uri = serializers.CharField()
    response_types_supported = serializers.ListField(child=serializers.CharField())
    id_token_signing_alg_values_supported = serializers.ListField(child=serializers.CharField())
    subject_types_supported = serializers.ListField(child=serializers.CharField())
    token_endpoint_auth_methods_supported = serializers.ListField(child=serializers.CharField())


class ProxyOutpostConfigSerializer(serializers.ModelSerializer[ProxyProvider]):
    client_secret = serializers.SerializerMethodField()
    cookie_secret = serializers.SerializerMethodField()
    oidc_configuration = serializers.SerializerMethodField()
    certificate = Fixed(None)
    access_token_validity = serializers.SerializerMethodField()
    scopes_to_request = serializers.SerializerMethodField()
    assigned_application_slug = serializers.CharField(source="application.slug")
    assigned_application_name = serializers.CharField(source="application.name")

    class Meta:
        model = ProxyProvider
        fields = [
            "pk",
            "name",
            "internal_host",
            "external_host",
            "internal_host_ssl_validation",
            "client_id",
            "client_secret",
            "oidc_configuration",
            "cookie_secret",
            "certificate",
            "skip_path_regex",
            "basic_auth_enabled",
            "basic_auth_password_attribute",
            "basic_auth_user_attribute",
            "mode",
            "cookie_domain",
            "access_token_validity",
            "intercept_header_auth",
            "scopes_to_request",
            "assigned_application_slug",
            "assigned_application_name",
        ]
        read_only_fields = fields

    def get_client_secret(self, provider: ProxyProvider) -> str | None:
        return provider.client_secret if self.context["for_outpost"] else None

    def get_cookie_secret(self, provider: ProxyProvider) -> str | None:
        return provider.cookie_secret if self.context["for_outpost"] else None

    @extend_schema_field(OpenIDConnectConfiguration)
    def get_oidc_configuration(self, provider: ProxyProvider) -> dict[str, Any]:
        endpoints = endpoints_of(provider)
        return {
            "issuer": endpoints.issuer,
            "authorization_endpoint": endpoints.authorization,
            "token_endpoint": endpoints.token,
            "userinfo_endpoint": endpoints.userinfo,
            "end_session_endpoint": endpoints.end_session,
            "introspection_endpoint": endpoints.introspection,
            "jwks_uri": endpoints.jwks,
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": [
                provider.signing_key.algorithm if provider.signing_key else "HS256"
            ],
            "subject_types_supported": ["public"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }

    def get_access_token_validity(self, provider: ProxyProvider) -> float:
        return parse(provider.access_token_validity).total_seconds()

    def get_scopes_to_request(self, provider: ProxyProvider) -> list[str]:
        return sorted({mapping.scope_name for mapping in provider.scope_mappings.all()})


class ProxyConfigFilters(Filters):
    name = exactly("name")


class ProxyOutpostConfigs(Rules, mixins.ListModelMixin, GenericViewSet[ProxyProvider]):
    queryset = (
        ProxyProvider.objects.filter(application__isnull=False)
        .select_related("application", "signing_key")
        .prefetch_related("scope_mappings")
    )
    permission_classes = [SignedIn]
    filter_backends = FILTERS
    serializer_class = ProxyOutpostConfigSerializer
    filterset_class = ProxyConfigFilters
    search_fields = ["name"]
    orders = {"name": "name"}
    ordering = ["name"]

    def get_queryset(self) -> QuerySet[ProxyProvider]:
        providers = super().get_queryset()
        own = outpost_of(user_of(self.request))
        if own is not None:
            # Whoever asks here knows nothing of step-up rules: what it served would be open to logins without a factor.
            return providers.filter(outposts=own, step_up_rules=[])
        if not is_superuser(self.request):
            self.permission_denied(self.request)
        return providers.filter(outposts__isnull=False).distinct()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "for_outpost": outpost_of(user_of(self.request)) is not None}
