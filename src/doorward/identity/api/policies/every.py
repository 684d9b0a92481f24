"""``/policies/all/``: the policies of every kind, and what one of them would say about somebody."""

from __future__ import annotations

from typing import Any

from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.described import POLICIES, TypeCreate, menu
from doorward.identity.api.filtering import Filters
from doorward.identity.api.policies.serializer import PolicySerializer
from doorward.identity.api.policies.testing import PolicyTestResult, PolicyTestSerializer, result_of
from doorward.identity.api.resource import UUID, ReadResource
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.policies import actions
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.judges import Said, Unjudged, said_by
from doorward.identity.policies.models import Policy


class PolicyFilters(Filters):
    bindings__isnull = BooleanFilter(field_name="bindings", lookup_expr="isnull")
    promptstage__isnull = BooleanFilter(field_name="passwordpolicy__prompt_stages", lookup_expr="isnull")


class Policies(mixins.DestroyModelMixin, ReadResource[Policy]):
    queryset = Policy.objects.all()
    serializer_class = PolicySerializer
    filterset_class = PolicyFilters
    lookup_url_kwarg = "policy_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name"}
    ordering = ["name"]

    def get_object(self) -> Any:
        """As an object of its own kind, which is what others refer to."""
        found: Policy = super().get_object()
        return found.concrete()

    def perform_destroy(self, instance: Policy) -> None:
        actions.delete_policy(self.actor, instance)

    @extend_schema(responses=TypeCreate(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def types(self, request: Request) -> Response:
        """The kinds of policies that can be created."""
        return menu(*POLICIES.values())

    @extend_schema(request=PolicyTestSerializer, responses=PolicyTestResult)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, policy_uuid: str) -> Response:
        """What the policy says about a user, in circumstances that are given."""
        asked = PolicyTestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        policy, wanted = self.get_object(), asked.validated_data
        try:
            said = said_by(policy, wanted["user"], Asked.by(request, wanted["context"]))
        except (ExpressionFailed, Unjudged) as error:
            said = Said(False, (str(error),))
        return Response(result_of(said, policy.name))

    @extend_schema(request=None, responses={204: None})
    @action(detail=False, methods=["post"])
    def cache_clear(self, request: Request) -> Response:
        """Answers clients that clear the cache after a change; access is judged anew each time."""
        return Response(status=204)
