"""``/propertymappings/provider/scope/`` and ``/propertymappings/all/``: the scopes that applications may ask for.

The shipped mappings know their claims. One that is made here is an expression that returns a dict of claims (S-612).
Trying one out is for superusers (S-613).
"""

from __future__ import annotations

import json
from typing import Any

from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api import plain_writes
from doorward.identity.api.described import DESCRIBED, SCOPE_MAPPING, DescribedSerializer, Description, TypeCreate, menu
from doorward.identity.api.filtering import Filters, exactly, several
from doorward.identity.api.permissions import user_of
from doorward.identity.api.policies.testing import PolicyTestSerializer
from doorward.identity.api.resource import UUID, ReadResource, Resource
from doorward.identity.directory.models import User
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.oauth2.models import ScopeMapping
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.expressions import evaluate
from doorward.identity.policies.models import require_expression

SCOPE_TOKEN = r"^[\x21\x23-\x5B\x5D-\x7E]+\Z"  # noqa: S105 - RFC 6749 section 3.3 calls it so


class Mapping(DescribedSerializer):
    def describe(self, instance: ScopeMapping) -> Description:
        return SCOPE_MAPPING


class PropertyMappingSerializer(Mapping, serializers.ModelSerializer[ScopeMapping]):
    class Meta:
        model = ScopeMapping
        fields = ["pk", "managed", "name", "expression", *DESCRIBED]
        read_only_fields = fields


class ScopeMappingSerializer(Mapping, serializers.ModelSerializer[ScopeMapping]):
    scope_name = serializers.RegexField(SCOPE_TOKEN, max_length=256)

    class Meta:
        model = ScopeMapping
        fields = ["pk", "managed", "name", "expression", *DESCRIBED, "scope_name", "description"]
        read_only_fields = ["managed"]
        extra_kwargs = {"expression": {"required": True, "allow_blank": False}}

    def validate_expression(self, expression: str) -> str:
        if expression != getattr(self.instance, "expression", None):
            require_expression(expression)
        return expression


class MappingTestSerializer(PolicyTestSerializer):
    """Whom it is about: whoever asks, where nobody is named."""

    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False)


class MappingTestResult(serializers.Serializer[Any]):
    result = serializers.CharField()
    successful = serializers.BooleanField()


class MappingFilters(Filters):
    name = exactly("name")
    managed = several("managed", "managed", ScopeMapping.objects.filter(managed__isnull=False))
    managed__isnull = BooleanFilter(field_name="managed", lookup_expr="isnull")


class ScopeMappingFilters(MappingFilters):
    scope_name = exactly("scope_name")


class PropertyMappings(ReadResource[ScopeMapping]):
    queryset = ScopeMapping.objects.all()
    serializer_class = PropertyMappingSerializer
    filterset_class = MappingFilters
    lookup_url_kwarg = "pm_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name"}
    ordering = ["name"]

    @extend_schema(responses=TypeCreate(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def types(self, request: Request) -> Response:
        """The kinds of property mappings that can be created."""
        return menu(SCOPE_MAPPING)

    @extend_schema(request=MappingTestSerializer, responses=MappingTestResult)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pm_uuid: str) -> Response:
        """What the mapping says about a user: JSON, or why it fails."""
        wanted = MappingTestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        about = wanted.validated_data
        try:
            said = evaluate(
                self.get_object().expression, about.get("user", user_of(request)), Asked.by(request, about["context"])
            ).value
        except ExpressionFailed as failed:
            return Response({"result": str(failed), "successful": False})
        return Response({"result": json.dumps(said, indent=4), "successful": True})


class ScopeMappings(Resource[ScopeMapping]):
    queryset = ScopeMapping.objects.all()
    serializer_class = ScopeMappingSerializer
    filterset_class = ScopeMappingFilters
    lookup_url_kwarg = "pm_uuid"
    lookup_value_regex = UUID
    search_fields = ["name", "scope_name"]
    orders = {"name": "name", "scope_name": "scope_name"}
    ordering = ["scope_name", "name"]

    def make(self, data: dict[str, Any]) -> ScopeMapping:
        return plain_writes.create(self.actor, ScopeMapping, data)

    def change(self, instance: ScopeMapping, data: dict[str, Any]) -> ScopeMapping:
        _refuse_shipped(instance)
        return plain_writes.update(self.actor, instance, data)

    def remove(self, instance: ScopeMapping) -> None:
        _refuse_shipped(instance)
        plain_writes.delete(self.actor, instance)


def _refuse_shipped(mapping: ScopeMapping) -> None:
    if mapping.managed:
        raise ValidationError({"non_field_errors": ["This mapping is shipped with Doorward and cannot be changed."]})
