"""``/providers/all/``: providers of all kinds, to look at and to delete."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.described import PROVIDERS, TypeCreate, menu
from doorward.identity.api.filtering import Filters
from doorward.identity.api.providers.serializers import PREFETCH, ProviderSerializer
from doorward.identity.api.resource import NUMBER, ReadResource
from doorward.identity.applications.models import Provider
from doorward.identity.outposts import actions


class ProviderFilters(Filters):
    application__isnull = BooleanFilter(field_name="application", lookup_expr="isnull")
    backchannel = BooleanFilter(method="by_channel")

    def by_channel(self, providers: QuerySet[Provider], name: str, wanted: bool) -> QuerySet[Provider]:
        """No kind of provider here works behind the scenes."""
        return providers.none() if wanted else providers


class Providers(mixins.DestroyModelMixin, ReadResource[Provider]):
    queryset = Provider.objects.select_related("application").prefetch_related(*PREFETCH)
    serializer_class = ProviderSerializer
    filterset_class = ProviderFilters
    lookup_value_regex = NUMBER
    lookup_url_kwarg = "id"
    search_fields = ["name", "application__name", "application__slug"]
    orders = {"name": "name", "pk": "id"}
    ordering = ["name"]

    def perform_destroy(self, instance: Provider) -> None:
        actions.delete_provider(self.actor, instance.concrete())

    @extend_schema(responses=TypeCreate(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def types(self, request: Request) -> Response:
        """The kinds of providers that can be created."""
        return menu(*PROVIDERS.values())
