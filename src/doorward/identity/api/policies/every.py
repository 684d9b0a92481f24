"""``/policies/all/``: access is bound to users and groups here; there are no policies as objects, and lists say so."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from doorward.identity.api.described import TypeCreate, menu
from doorward.identity.api.resource import FILTERS, UUID, Rules
from doorward.identity.policies.models import PolicyBinding


class PolicySerializer(serializers.Serializer[Any]):
    pk = serializers.UUIDField()
    name = serializers.CharField()
    component = serializers.CharField()
    verbose_name = serializers.CharField()
    verbose_name_plural = serializers.CharField()
    meta_model_name = serializers.CharField()
    bound_to = serializers.IntegerField()


class Policies(Rules, GenericViewSet[PolicyBinding]):
    queryset = PolicyBinding.objects.none()
    filter_backends = FILTERS
    serializer_class = PolicySerializer
    lookup_url_kwarg = "policy_uuid"
    lookup_value_regex = UUID
    extra_parameters = ("bindings__isnull", "promptstage__isnull")
    orders = {"name": "id"}
    ordering = ["id"]

    @extend_schema(responses=PolicySerializer(many=True))
    def list(self, request: Request) -> Response:
        self.filter_queryset(self.get_queryset())
        self.paginate_queryset([])
        return self.get_paginated_response([])

    def retrieve(self, request: Request, policy_uuid: str) -> Response:
        raise NotFound("No Policy matches the given query.")

    @extend_schema(responses=TypeCreate(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def types(self, request: Request) -> Response:
        """The kinds of policies that can be created."""
        return menu()

    @extend_schema(request=None, responses={204: None})
    @action(detail=False, methods=["post"])
    def cache_clear(self, request: Request) -> Response:
        """Answers clients that clear the cache after a change; access is judged anew each time."""
        return Response(status=204)
