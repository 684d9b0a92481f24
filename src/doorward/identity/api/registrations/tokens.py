"""``/doorward/registration_tokens/``: with which programs register themselves as clients. For superusers.

The key stands in the answer that makes the token, and nowhere else ever again (S-608).
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.resource import UUID, Resource
from doorward.identity.oauth2 import registration_tokens
from doorward.identity.oauth2.models import RegistrationToken, ScopeMapping


class RegistrationTokenSerializer(serializers.ModelSerializer[RegistrationToken]):
    pk = serializers.UUIDField(read_only=True)
    hosts = serializers.ListField(
        child=serializers.CharField(max_length=253),
        help_text="Hosts that redirect URIs may have; .example.com stands for all below it.",
    )
    uses = serializers.IntegerField(source="uses_left", min_value=1, max_value=registration_tokens.MOST_USES)
    scope_mappings = serializers.PrimaryKeyRelatedField(
        many=True, queryset=ScopeMapping.objects.all(), required=False, help_text="What clients may ask for at most."
    )

    class Meta:
        model = RegistrationToken
        fields = [
            "pk",
            "name",
            "created",
            "expires",
            "uses",
            "hosts",
            "public_clients",
            "authorization_flow",
            "invalidation_flow",
            "group",
            "scope_mappings",
        ]


class RegistrationTokenMadeSerializer(RegistrationTokenSerializer):
    key = serializers.CharField(read_only=True)

    class Meta(RegistrationTokenSerializer.Meta):
        fields = [*RegistrationTokenSerializer.Meta.fields, "key"]


class RegistrationTokenFilters(Filters):
    name = exactly("name")


class RegistrationTokens(Resource[RegistrationToken]):
    queryset = RegistrationToken.objects.prefetch_related("scope_mappings")
    serializer_class = RegistrationTokenSerializer
    filterset_class = RegistrationTokenFilters
    http_method_names = ["get", "post", "delete", "head", "options"]
    lookup_url_kwarg = "uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name", "expires": "expires"}
    ordering = ["name"]

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answers with the key, this once."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        token, key = registration_tokens.create_registration_token(self.actor, uses=data.pop("uses_left"), **data)
        return Response({**self.get_serializer(token).data, "key": key}, status=201)

    def remove(self, instance: RegistrationToken) -> None:
        registration_tokens.delete_registration_token(self.actor, instance)
