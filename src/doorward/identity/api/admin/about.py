"""``/admin/version/`` and ``/admin/system/``: what runs here."""

from __future__ import annotations

import platform
import ssl
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from doorward.identity.api.resource import Rules
from doorward.identity.brands.queries import current_brand

SHOWN_HEADERS = frozenset(
    {
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Host",
        "User-Agent",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
    }
)
"""Those that help to find a mistake in front of us; never credentials (S-605)."""


class VersionSerializer(serializers.Serializer[Any]):
    version_current = serializers.CharField()
    version_latest = serializers.CharField()
    version_latest_valid = serializers.BooleanField()
    build_hash = serializers.CharField()
    outdated = serializers.BooleanField()
    outpost_outdated = serializers.BooleanField()


class RuntimeSerializer(serializers.Serializer[Any]):
    python_version = serializers.CharField()
    environment = serializers.CharField()
    architecture = serializers.CharField()
    platform = serializers.CharField()
    uname = serializers.CharField()
    openssl_version = serializers.CharField()
    openssl_fips_enabled = serializers.BooleanField(allow_null=True)
    authentik_version = serializers.CharField()


class SystemSerializer(serializers.Serializer[Any]):
    http_headers = serializers.DictField(child=serializers.CharField())
    http_host = serializers.CharField()
    http_is_secure = serializers.BooleanField()
    runtime = RuntimeSerializer()
    brand = serializers.CharField()
    server_time = serializers.DateTimeField()
    embedded_outpost_disabled = serializers.BooleanField()
    embedded_outpost_host = serializers.CharField()
    base_url = serializers.CharField()


class Version(Rules, APIView):
    need = "authentik_rbac.access_admin_interface"

    @extend_schema(responses=VersionSerializer, operation_id="admin_version_retrieve")
    def get(self, request: Request) -> Response:
        """Nobody outside is asked for a newer version, hence ``version_latest_valid`` is false."""
        return Response(
            {
                "version_current": settings.VERSION,
                "version_latest": settings.VERSION,
                "version_latest_valid": False,
                "build_hash": "",
                "outdated": False,
                "outpost_outdated": False,
            }
        )


class System(Rules, APIView):
    need = "authentik_rbac.view_system_info"

    @extend_schema(responses=SystemSerializer, operation_id="admin_system_retrieve")
    def get(self, request: Request) -> Response:
        """How this request arrived, and what it was answered by."""
        system = {
            "http_headers": {name: value for name, value in request.headers.items() if name in SHOWN_HEADERS},
            "http_host": request.get_host(),
            "http_is_secure": request.is_secure(),
            "runtime": {
                "python_version": platform.python_version(),
                "environment": "doorward",
                "architecture": platform.machine(),
                "platform": platform.platform(),
                "uname": " ".join(platform.uname()),
                "openssl_version": ssl.OPENSSL_VERSION,
                "openssl_fips_enabled": None,
                "authentik_version": settings.VERSION,
            },
            "brand": str(current_brand()),
            "server_time": timezone.now(),
            "embedded_outpost_disabled": False,
            "embedded_outpost_host": settings.EXTERNAL_URL,
            "base_url": settings.EXTERNAL_URL,
        }
        return Response(SystemSerializer(system).data)
