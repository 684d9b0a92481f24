"""``/providers/oauth2/``: login for applications that speak OpenID Connect or OAuth2.

The client secret is written here and otherwise seen twice: in the answer that creates the provider, because whoever
configures the application needs it then, and by its own action, which leaves an event (S-605). Never in list or detail.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django_filters import BooleanFilter, ChoiceFilter, ModelMultipleChoiceFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.filtering import Filters, exactly, uuid_of
from doorward.identity.api.permissions import require, user_of
from doorward.identity.api.providers.serializers import (
    SHARED_FIELDS,
    ProviderFields,
    RedirectURISerializer,
    application_of,
)
from doorward.identity.api.recent_login import require_recent_login
from doorward.identity.api.resource import NUMBER, Resource
from doorward.identity.directory.models import User
from doorward.identity.events.actions import record
from doorward.identity.oauth2 import actions, provider_rules, registration_tokens
from doorward.identity.oauth2.issuer import endpoints_of
from doorward.identity.oauth2.models import OAuth2Provider, ScopeMapping
from doorward.identity.oauth2.person import Person
from doorward.identity.oauth2.scopes import claims_of, mappings_of
from doorward.identity.oauth2.subjects import subject_of
from doorward.identity.outposts.actions import delete_provider
from doorward.identity.sources.models import OAuthSource


class OAuth2ProviderSerializer(ProviderFields, serializers.ModelSerializer[OAuth2Provider]):
    redirect_uris = RedirectURISerializer(many=True)
    client_secret = serializers.CharField(write_only=True, required=False, allow_blank=True, max_length=255)
    grant_types = serializers.ListField(
        child=serializers.ChoiceField(provider_rules.GRANTS),
        required=False,
        help_text="What the token endpoint gives it for.",
    )
    logout_uri = serializers.CharField(
        required=False, allow_blank=True, max_length=2048, help_text="Where it hears that a login has ended."
    )
    jwt_federation_sources = serializers.PrimaryKeyRelatedField(
        many=True,
        queryset=OAuthSource.objects.all(),
        required=False,
        help_text="OAuth sources whose issuer's tokens say who a program is.",
    )
    jwt_federation_providers = serializers.PrimaryKeyRelatedField(
        source="exchange_from",
        many=True,
        queryset=OAuth2Provider.objects.all(),
        required=False,
        help_text="Clients whose access tokens it may exchange for its own, where its grants name token exchange.",
    )

    class Meta:
        model = OAuth2Provider
        fields = [
            *SHARED_FIELDS,
            "client_type",
            "grant_types",
            "client_id",
            "client_secret",
            "access_code_validity",
            "access_token_validity",
            "refresh_token_validity",
            "refresh_token_threshold",
            "include_claims_in_id_token",
            "require_pkce",
            "signing_key",
            "encryption_key",
            "redirect_uris",
            "logout_uri",
            "logout_method",
            "sub_mode",
            "issuer_mode",
            "jwt_federation_sources",
            "jwt_federation_providers",
            "client_authentication",
            "client_jwks",
            "client_jwks_uri",
            "require_pushed_requests",
            "typed_access_tokens",
            "step_up_flow",
        ]
        extra_kwargs = {
            "client_authentication": {"help_text": "How a confidential client proves itself."},
            "client_jwks": {"help_text": "Its public keys, for private_key_jwt."},
            "client_jwks_uri": {"help_text": "Where it publishes them instead."},
            "require_pushed_requests": {"help_text": "Authorization requests come by PAR (RFC 9126) only."},
            "typed_access_tokens": {"help_text": "Access tokens are of typ at+jwt (RFC 9068)."},
            "step_up_flow": {"help_text": "Where people show a second factor when acr_values asks for one."},
        }

    def validate_redirect_uris(self, entries: list[dict[str, str]]) -> list[dict[str, str]]:
        return [dict(entry) for entry in entries]


class OAuth2ProviderFilters(Filters):
    application = uuid_of("application")
    authorization_flow = uuid_of("authorization_flow")
    name = exactly("name")
    client_id = exactly("client_id")
    client_type = ChoiceFilter(field_name="client_type", choices=OAuth2Provider.ClientType.choices)
    access_code_validity = exactly("access_code_validity")
    access_token_validity = exactly("access_token_validity")
    refresh_token_validity = exactly("refresh_token_validity")
    include_claims_in_id_token = BooleanFilter(field_name="include_claims_in_id_token")
    signing_key = uuid_of("signing_key")
    sub_mode = ChoiceFilter(field_name="sub_mode", choices=OAuth2Provider.SubMode.choices)
    issuer_mode = ChoiceFilter(field_name="issuer_mode", choices=OAuth2Provider.IssuerMode.choices)
    property_mappings = ModelMultipleChoiceFilter(field_name="scope_mappings", queryset=ScopeMapping.objects.all())


class ClientSecretSerializer(serializers.Serializer[Any]):
    client_secret = serializers.CharField()


class SetupURLs(serializers.Serializer[Any]):
    issuer = serializers.CharField()
    authorize = serializers.CharField()
    token = serializers.CharField()
    user_info = serializers.CharField()
    provider_info = serializers.CharField()
    logout = serializers.CharField()
    jwks = serializers.CharField()
    dcr_registration = serializers.CharField(allow_null=True)


class PropertyMappingPreview(serializers.Serializer[Any]):
    preview = serializers.DictField()


class OAuth2Providers(Resource[OAuth2Provider]):
    queryset = (
        OAuth2Provider.objects.filter(kind=OAuth2Provider.KIND)
        .select_related("application")
        .prefetch_related("scope_mappings", "exchange_from", "jwt_federation_sources")
    )
    serializer_class = OAuth2ProviderSerializer
    filterset_class = OAuth2ProviderFilters
    lookup_url_kwarg = "id"
    lookup_value_regex = NUMBER
    needs = {
        "setup_urls": "authentik_providers_oauth2.view_oauth2provider",
        "preview_user": "authentik_providers_oauth2.view_oauth2provider",
    }
    search_fields = ["name"]
    orders = {"name": "name", "pk": "id", "client_id": "client_id"}
    ordering = ["name"]

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answers with the client secret, this once."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        provider = self.make(serializer.validated_data)
        shown = self.get_serializer(provider).data
        return Response({**shown, "client_secret": provider.client_secret}, status=201)

    def make(self, data: dict[str, Any]) -> OAuth2Provider:
        return actions.create_oauth2_provider(self.actor, **data)

    def change(self, instance: OAuth2Provider, data: dict[str, Any]) -> OAuth2Provider:
        return actions.update_oauth2_provider(self.actor, instance, **data)

    def remove(self, instance: OAuth2Provider) -> None:
        delete_provider(self.actor, instance)

    @extend_schema(responses=ClientSecretSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def client_secret(self, request: Request, id: str) -> Response:  # noqa: A002 - the path's name for it
        """The secret, with an event. Not in the original, where it stands in every list."""
        require_recent_login(request)
        provider = self.get_object()
        with transaction.atomic():
            record("secret_view", "authentik.providers.oauth2", self.actor, secret_of=provider)
        return Response({"client_secret": provider.client_secret})

    @extend_schema(responses=SetupURLs, filters=False)
    @action(detail=True, pagination_class=None)
    def setup_urls(self, request: Request, id: str) -> Response:  # noqa: A002
        """What the application has to be told."""
        provider = self.get_object()
        if application_of(provider) is None:
            raise NotFound("No application uses this provider yet.")
        endpoints = endpoints_of(provider)
        return Response(
            {
                "issuer": endpoints.issuer,
                "authorize": endpoints.authorization,
                "token": endpoints.token,
                "user_info": endpoints.userinfo,
                "provider_info": endpoints.jwks.removesuffix("jwks/") + ".well-known/openid-configuration",
                "logout": endpoints.end_session,
                "jwks": endpoints.jwks,
                "dcr_registration": endpoints.registration if registration_tokens.working() else None,
            }
        )

    @extend_schema(parameters=[OpenApiParameter("for_user", int)], responses=PropertyMappingPreview, filters=False)
    @action(detail=True, pagination_class=None)
    def preview_user(self, request: Request, id: str) -> Response:  # noqa: A002
        """The claims that the application would be told about whoever asks, or about another user."""
        provider, user = self.get_object(), self._subject(request)
        mappings = mappings_of(provider)
        return Response(
            {"preview": {"sub": subject_of(provider, user)} | claims_of(Person(user, provider), mappings, mappings)}
        )

    def _subject(self, request: Request) -> User:
        wanted = request.query_params.get("for_user")
        if not wanted:
            return user_of(request)
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
            raise ValidationError({"for_user": ["A user's number is expected."]})
        require(request, "authentik_core.preview_user", int(wanted))
        return get_object_or_404(User, pk=int(wanted))
