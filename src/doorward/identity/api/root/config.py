"""``/root/config/``: what a client must know before anybody has logged in."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from doorward.identity.api.permissions import Everybody
from doorward.identity.api.resource import Rules


class ErrorReportingSerializer(serializers.Serializer[Any]):
    enabled = serializers.BooleanField()
    sentry_dsn = serializers.CharField()
    environment = serializers.CharField()
    send_pii = serializers.BooleanField()
    traces_sample_rate = serializers.FloatField()


class ConfigSerializer(serializers.Serializer[Any]):
    error_reporting = ErrorReportingSerializer()
    capabilities = serializers.ListField(child=serializers.CharField())
    cache_timeout = serializers.IntegerField()
    cache_timeout_flows = serializers.IntegerField()
    cache_timeout_policies = serializers.IntegerField()


CONFIG: dict[str, Any] = {
    # No failure is ever reported to anybody outside.
    "error_reporting": {
        "enabled": False,
        "sentry_dsn": "",
        "environment": "doorward",
        "send_pii": False,
        "traces_sample_rate": 0.0,
    },
    "capabilities": ["can_impersonate"],
    "cache_timeout": 0,
    "cache_timeout_flows": 0,
    "cache_timeout_policies": 0,
}


class Config(Rules, APIView):
    permission_classes = [Everybody]

    @extend_schema(responses=ConfigSerializer, operation_id="root_config_retrieve")
    def get(self, request: Request) -> Response:
        """The same for everybody."""
        return Response(CONFIG)
