"""``/policies/all/``: the policies that are objects of their own; access is bound to users and groups beside them."""

from __future__ import annotations

from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api import plain_writes
from doorward.identity.api.described import POLICIES, TypeCreate, menu
from doorward.identity.api.filtering import Filters
from doorward.identity.api.policies.passwords import PolicySerializer
from doorward.identity.api.resource import UUID, ReadResource
from doorward.identity.policies.models import Policy


class PolicyFilters(Filters):
    promptstage__isnull = BooleanFilter(field_name="passwordpolicy__prompt_stages", lookup_expr="isnull")


class Policies(mixins.DestroyModelMixin, ReadResource[Policy]):
    queryset = Policy.objects.all()
    serializer_class = PolicySerializer
    filterset_class = PolicyFilters
    extra_parameters = ("bindings__isnull",)
    lookup_url_kwarg = "policy_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name"}
    ordering = ["name"]

    def get_object(self) -> Policy:
        """As an object of its own kind, which is what others refer to."""
        found = super().get_object()
        concrete: Policy = getattr(found, f"{found.kind}policy")
        return concrete

    def perform_destroy(self, instance: Policy) -> None:
        plain_writes.delete(self.actor, instance)

    @extend_schema(responses=TypeCreate(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def types(self, request: Request) -> Response:
        """The kinds of policies that can be created."""
        return menu(*POLICIES.values())

    @extend_schema(request=None, responses={204: None})
    @action(detail=False, methods=["post"])
    def cache_clear(self, request: Request) -> Response:
        """Answers clients that clear the cache after a change; access is judged anew each time."""
        return Response(status=204)
