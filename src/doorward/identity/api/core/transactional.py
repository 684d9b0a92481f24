"""``/core/transactional/applications/``: provider, application and bindings in one request, all or nothing.

A proxy provider is given to the embedded outpost in the same transaction: the step that people forget. So after this
one call the application is protected.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from doorward.identity.api.core.application_serializer import ApplicationSerializer
from doorward.identity.api.errors import messages_of
from doorward.identity.api.policies.bindings import PolicyBindingSerializer
from doorward.identity.api.providers.oauth2 import OAuth2ProviderSerializer
from doorward.identity.api.providers.proxy import ProxyProviderSerializer
from doorward.identity.api.resource import Rules
from doorward.identity.applications.actions import create_application
from doorward.identity.applications.models import Provider
from doorward.identity.oauth2.actions import create_oauth2_provider
from doorward.identity.outposts import queries
from doorward.identity.outposts.actions import assign, create_proxy_provider
from doorward.identity.policies.actions import bind

KINDS: dict[str, tuple[type[serializers.BaseSerializer[Any]], Any]] = {
    "authentik_providers_proxy.proxyprovider": (ProxyProviderSerializer, create_proxy_provider),
    "authentik_providers_oauth2.oauth2provider": (OAuth2ProviderSerializer, create_oauth2_provider),
}


class TransactionPolicyBindingSerializer(PolicyBindingSerializer):
    target = None  # type: ignore[assignment] # the application that is being made

    class Meta(PolicyBindingSerializer.Meta):
        fields = [name for name in PolicyBindingSerializer.Meta.fields if name not in ("pk", "target")]


class TransactionApplicationRequest(serializers.Serializer[Any]):
    app = ApplicationSerializer()
    provider_model = serializers.ChoiceField(list(KINDS))
    provider = serializers.DictField()
    policy_bindings = TransactionPolicyBindingSerializer(many=True, required=False)


class TransactionApplicationResponse(serializers.Serializer[Any]):
    applied = serializers.BooleanField()
    logs = serializers.ListField(child=serializers.CharField())


class TransactionalApplications(Rules, APIView):
    @extend_schema(
        request=TransactionApplicationRequest,
        responses=TransactionApplicationResponse,
        operation_id="core_transactional_applications_update",
    )
    def put(self, request: Request) -> Response:
        asked = TransactionApplicationRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        with transaction.atomic():
            provider = self._provider(wanted["provider_model"], wanted["provider"])
            with _named("app"):
                application = create_application(self.actor, **(wanted["app"] | {"provider": provider}))
            with _named("policy_bindings"):
                for binding in wanted.get("policy_bindings", []):
                    bind(self.actor, application, **binding)
            if provider.kind == "proxy":
                outpost = queries.embedded()
                assign(self.actor, outpost, [*outpost.providers.all(), provider])
        return Response({"applied": True, "logs": []})

    def _provider(self, model: str, data: dict[str, Any]) -> Provider:
        kind, create = KINDS[model]
        serializer = kind(data=data)
        if not serializer.is_valid():
            raise ValidationError({"provider": dict(serializer.errors)})
        with _named("provider"):
            provider: Provider = create(self.actor, **serializer.validated_data)
        return provider


@contextmanager
def _named(part: str) -> Iterator[None]:
    """Puts the messages of a refusal below the part of the request that it is about."""
    try:
        yield
    except ModelValidationError as error:
        raise ValidationError({part: messages_of(error)}) from error
