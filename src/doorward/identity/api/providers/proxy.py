"""``/providers/proxy/``: a login in front of an application that has none."""

from __future__ import annotations

from typing import Any

from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.filtering import Filters, any_case
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.providers.serializers import SHARED_FIELDS, ProviderFields, RedirectURISerializer
from doorward.identity.api.resource import NUMBER, Resource
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.outposts import actions, open_paths, step_up
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.sources.models import OAuthSource


class StepUpRuleSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(
        max_length=step_up.LONGEST_PATH, trim_whitespace=False, help_text="A regular expression for the decoded path."
    )
    factor = serializers.ChoiceField(
        choices=["mfa", "phr"], allow_blank=True, required=False, help_text="Any second factor, or a passkey."
    )
    max_age = serializers.CharField(
        max_length=100, allow_blank=True, required=False, help_text="A duration; the login may not be older."
    )
    machines = serializers.BooleanField(
        required=False, help_text="Programs with credentials are let pass; they never satisfy a rule."
    )


class ProxyProviderSerializer(ProviderFields, serializers.ModelSerializer[ProxyProvider]):
    """Client secret and cookie secret are between us and the outpost: never in here (S-605)."""

    client_id = serializers.CharField(read_only=True)
    redirect_uris = RedirectURISerializer(many=True, read_only=True)
    outpost_set: Any = serializers.StringRelatedField(source="outposts", many=True, read_only=True)
    renew_sessions = serializers.BooleanField(
        required=False, help_text="Adds or removes the scope offline_access: sessions outlive their access token."
    )
    certificate = Fixed(None)
    jwt_federation_sources = serializers.PrimaryKeyRelatedField(
        many=True,
        queryset=OAuthSource.objects.all(),
        required=False,
        help_text="OAuth sources whose issuer's tokens say who a program is.",
    )
    jwt_federation_providers = serializers.PrimaryKeyRelatedField(
        many=True, queryset=OAuth2Provider.objects.all(), required=False
    )

    step_up_rules = StepUpRuleSerializer(
        many=True, required=False, help_text="What some paths ask of a login beyond the rest of the application."
    )

    class Meta:
        model = ProxyProvider
        extra_kwargs = {
            "skip_preflight": {"help_text": "Let CORS preflights pass without a session."},
            "keep_posts": {"help_text": "Keep a form that meets an ended session; needs a proxy that sends bodies."},
            "cookie_prefix": {"help_text": "host or secure: the cookie's name begins with __Host- or __Secure-."},
            "step_up_flow": {"help_text": "Where people show what a step-up rule asks for; null: they log in again."},
            "idle_limit": {"help_text": "A duration after which an unused session ends; seconds=0: no limit."},
        }
        fields = [
            *SHARED_FIELDS,
            "client_id",
            "internal_host",
            "external_host",
            "internal_host_ssl_validation",
            "certificate",
            "skip_path_regex",
            "basic_auth_enabled",
            "basic_auth_password_attribute",
            "basic_auth_user_attribute",
            "mode",
            "intercept_header_auth",
            "redirect_uris",
            "cookie_domain",
            "jwt_federation_sources",
            "jwt_federation_providers",
            "access_token_validity",
            "refresh_token_validity",
            "redirect_everything",
            "skip_preflight",
            "keep_posts",
            "cookie_prefix",
            "step_up_rules",
            "step_up_flow",
            "renew_sessions",
            "idle_limit",
            "outpost_set",
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Judges the provider as it will be, so that a PATCH needs to name only what it changes."""

        def will_be(field: str) -> Any:
            return attrs.get(field, getattr(self.instance or ProxyProvider(), field))

        if will_be("mode") == ProxyProvider.Mode.PROXY and not will_be("internal_host"):
            message = "Internal host cannot be empty when forward auth is disabled."
            raise serializers.ValidationError({"internal_host": [message]})
        if will_be("basic_auth_enabled") and not (
            will_be("basic_auth_user_attribute") and will_be("basic_auth_password_attribute")
        ):
            message = "User and password attributes must be set when basic auth is enabled."
            raise serializers.ValidationError({"basic_auth_enabled": [message]})
        return attrs


def _renamed(asked: dict[str, Any]) -> dict[str, Any]:
    return {"paths": asked["paths"], "rules": asked.get("skip_path_regex"), "steps": asked.get("step_up_rules")}


class PathsRequest(serializers.Serializer[Any]):
    paths = serializers.ListField(child=serializers.CharField(max_length=4096), max_length=open_paths.MOST)
    skip_path_regex = serializers.CharField(
        required=False, allow_blank=True, help_text="Rules to try; those in force by default."
    )
    step_up_rules = StepUpRuleSerializer(many=True, required=False, help_text="The same for step-up.")


class JudgedPath(serializers.Serializer[Any]):
    path = serializers.CharField()
    open = serializers.BooleanField(help_text="Whether strangers may open it.")
    why = serializers.CharField()
    step_up = serializers.CharField(help_text="What the path asks of a login beyond the rest; empty: nothing.")


class ProxyProviderFilters(Filters):
    application__isnull = BooleanFilter(field_name="application", lookup_expr="isnull")
    name__iexact = any_case("name")
    external_host__iexact = any_case("external_host")
    internal_host__iexact = any_case("internal_host")
    internal_host_ssl_validation__iexact = BooleanFilter(field_name="internal_host_ssl_validation")
    mode__iexact = any_case("mode")
    cookie_domain__iexact = any_case("cookie_domain")
    skip_path_regex__iexact = any_case("skip_path_regex")
    basic_auth_enabled__iexact = BooleanFilter(field_name="basic_auth_enabled")
    authorization_flow__slug__iexact = any_case("authorization_flow__slug")


class ProxyProviders(Resource[ProxyProvider]):
    queryset = ProxyProvider.objects.select_related("application").prefetch_related(
        "scope_mappings", "outposts", "jwt_federation_providers", "jwt_federation_sources"
    )
    serializer_class = ProxyProviderSerializer
    filterset_class = ProxyProviderFilters
    lookup_value_regex = NUMBER
    lookup_url_kwarg = "id"
    search_fields = ["name", "external_host"]
    orders = {"name": "name", "pk": "id", "external_host": "external_host"}
    ordering = ["name"]

    needs = {"preview_paths": "authentik_providers_proxy.view_proxyprovider"}

    @extend_schema(request=PathsRequest, responses=JudgedPath(many=True), filters=False)
    @action(detail=True, methods=["post"], pagination_class=None)
    def preview_paths(self, request: Request, id: str) -> Response:  # noqa: A002 - as the route calls it
        """What strangers may open, and what asks for more than a login, by the rules in force or by others; nothing is
        changed."""
        asked = PathsRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        judged = open_paths.preview(self.get_object(), **_renamed(asked.validated_data))
        return Response(JudgedPath(judged, many=True).data)

    def make(self, data: dict[str, Any]) -> ProxyProvider:
        data.setdefault("mode", ProxyProvider.Mode.PROXY)
        return actions.create_proxy_provider(self.actor, **data)

    def change(self, instance: ProxyProvider, data: dict[str, Any]) -> ProxyProvider:
        return actions.update_proxy_provider(self.actor, instance, **data)

    def remove(self, instance: ProxyProvider) -> None:
        actions.delete_provider(self.actor, instance)
