"""``/outposts/instances/``: which outpost serves which providers."""

from __future__ import annotations

import platform
import ssl
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django_filters import BooleanFilter, ModelMultipleChoiceFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from doorward.identity.api.filtering import Filters, any_case, containing
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.outposts.defaults import DEFAULT_CONFIG
from doorward.identity.api.outposts.serving import outpost_of
from doorward.identity.api.permissions import OpenReads, Permitted, powers, user_of, visible
from doorward.identity.api.providers.serializers import ProviderSerializer
from doorward.identity.api.resource import UUID, Resource
from doorward.identity.applications.models import Provider
from doorward.identity.durations import parse
from doorward.identity.outposts import actions, presence
from doorward.identity.outposts.instances import token_identifier
from doorward.identity.outposts.models import EMBEDDED, Outpost, OutpostInstance


class OutpostSerializer(serializers.ModelSerializer[Outpost]):
    name = serializers.CharField(validators=[UniqueValidator(Outpost.objects.all())])
    type = serializers.ChoiceField(["proxy"])
    providers = serializers.PrimaryKeyRelatedField(many=True, queryset=Provider.objects.all())
    providers_obj = ProviderSerializer(source="providers", many=True, read_only=True)
    service_connection = Fixed(None)
    service_connection_obj = Fixed(None)
    refresh_interval_s = serializers.SerializerMethodField()
    token_identifier = serializers.SerializerMethodField()
    config = serializers.DictField()

    class Meta:
        model = Outpost
        fields = [
            "pk",
            "name",
            "type",
            "providers",
            "providers_obj",
            "service_connection",
            "service_connection_obj",
            "refresh_interval_s",
            "token_identifier",
            "config",
            "managed",
        ]
        read_only_fields = ["managed"]

    def get_refresh_interval_s(self, outpost: Outpost) -> int:
        return int(parse(str(outpost.config.get("refresh_interval", "minutes=5"))).total_seconds())

    def get_token_identifier(self, outpost: Outpost) -> str:
        return token_identifier(outpost)

    def validate_name(self, name: str) -> str:
        if self._is_embedded and name != getattr(self.instance, "name", name):
            raise serializers.ValidationError("The embedded outpost cannot be renamed.")
        return name

    def validate_providers(self, providers: list[Provider]) -> list[Provider]:
        if not providers and not self._is_embedded:
            raise serializers.ValidationError("This list may not be empty.", code="empty")
        if any(provider.kind != "proxy" for provider in providers):
            raise serializers.ValidationError("An outpost of type proxy serves proxy providers only.")
        return providers

    @property
    def _is_embedded(self) -> bool:
        return isinstance(self.instance, Outpost) and self.instance.managed == EMBEDDED


class OutpostFilters(Filters):
    name__iexact = any_case("name")
    name__icontains = containing("name")
    managed__iexact = any_case("managed")
    managed__icontains = containing("managed")
    providers__isnull = BooleanFilter(field_name="providers", lookup_expr="isnull", distinct=True)
    providers_by_pk = ModelMultipleChoiceFilter(field_name="providers", queryset=Provider.objects.all())


class OutpostHealth(serializers.Serializer[Any]):
    uid = serializers.CharField()
    last_seen = serializers.DateTimeField()
    version = serializers.CharField()
    golang_version = serializers.CharField()
    openssl_enabled = serializers.BooleanField()
    openssl_version = serializers.CharField()
    fips_enabled = serializers.BooleanField(allow_null=True)
    version_should = serializers.CharField()
    version_outdated = serializers.BooleanField()
    build_hash = serializers.CharField()
    build_hash_should = serializers.CharField()
    hostname = serializers.CharField()


class OutpostDefaultConfig(serializers.Serializer[Any]):
    config = serializers.DictField()


class Outposts(Resource[Outpost]):
    """Superusers manage all; an outpost's own token reads itself."""

    queryset = Outpost.objects.prefetch_related("providers__application", "providers__oauth2provider__scope_mappings")
    permission_classes = [OpenReads]
    serializer_class = OutpostSerializer
    filterset_class = OutpostFilters
    lookup_url_kwarg = "uuid"
    lookup_value_regex = UUID
    needs = {"health": "authentik_outposts.view_outpost"}
    search_fields = ["name", "providers__name"]
    orders = {"name": "name"}
    ordering = ["name"]

    def get_queryset(self) -> QuerySet[Outpost]:
        outposts = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return outposts  # nobody asks: the description is made
        if powers(self.request).may_somewhere("authentik_outposts.view_outpost"):
            return visible(self.request, outposts)
        own = outpost_of(user_of(self.request))
        if own is None:
            self.permission_denied(self.request)
        return outposts.filter(pk=own.pk)

    def make(self, data: dict[str, Any]) -> Outpost:
        del data["type"]  # there is one
        return actions.create_outpost(self.actor, **data)

    def change(self, instance: Outpost, data: dict[str, Any]) -> Outpost:
        data.pop("type", None)
        return actions.update_outpost(self.actor, instance, **data)

    def remove(self, instance: Outpost) -> None:
        actions.delete_outpost(self.actor, instance)

    @extend_schema(responses=OutpostHealth(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def health(self, request: Request, uuid: str) -> Response:
        """The processes that serve the outpost. The embedded one is this very program: who answers is alive."""
        outpost = self.get_object()
        if outpost.managed == EMBEDDED:
            return Response([_own_health()])
        return Response([_health_of(instance) for instance in presence.instances(outpost)])

    @extend_schema(responses=OutpostDefaultConfig, filters=False)
    @action(detail=False, permission_classes=[Permitted], pagination_class=None)
    def default_settings(self, request: Request) -> Response:
        """What an outpost's ``config`` holds when nobody says otherwise."""
        return Response({"config": DEFAULT_CONFIG | {"authentik_host": settings.EXTERNAL_URL}})


def _health_of(instance: OutpostInstance) -> dict[str, Any]:
    return _own_health() | {
        "uid": instance.uid,
        "last_seen": instance.last_seen,
        "version": instance.version,
        "version_outdated": instance.version != settings.VERSION,
        "openssl_version": "",
        "hostname": instance.hostname,
    }


def _own_health() -> dict[str, Any]:
    return {
        "uid": f"embedded-{settings.INSTALLATION_ID[:16]}",
        "last_seen": timezone.now(),
        "version": settings.VERSION,
        "golang_version": "",
        "openssl_enabled": True,
        "openssl_version": ssl.OPENSSL_VERSION,
        "fips_enabled": None,
        "version_should": settings.VERSION,
        "version_outdated": False,
        "build_hash": "",
        "build_hash_should": "",
        "hostname": platform.node(),
    }
