"""``/admin/settings/``: the settings of the installation. What has one value only here is answered, and refused by
name where a request asks for another (``fixed``)."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from doorward.identity.api.fixed import Fixed
from doorward.identity.api.resource import Rules
from doorward.identity.system import actions
from doorward.identity.system.models import SystemSettings

FLAGS = {
    "core_default_app_access": True,
    "enterprise_audit_include_expanded_diff": True,
    "flows_continuous_login": False,
    "flows_refresh_others": False,
}


class SettingsSerializer(serializers.ModelSerializer[SystemSettings]):
    """``event_retention_by_action`` is our own."""

    avatars = Fixed("initials")
    base_url = Fixed(settings.EXTERNAL_URL)
    gdpr_compliance = Fixed(False)
    footer_links = serializers.JSONField(required=False)
    event_retention_by_action = serializers.JSONField(required=False)
    default_token_length = Fixed(60)
    flags = Fixed(FLAGS)

    class Meta:
        model = SystemSettings
        fields = [
            "avatars",
            "base_url",
            "default_token_duration",
            "default_token_length",
            "event_retention",
            "event_retention_by_action",
            "footer_links",
            "gdpr_compliance",
            "impersonation",
            "impersonation_require_reason",
            "pagination_default_page_size",
            "pagination_max_page_size",
            "flags",
        ]


class Settings(Rules, APIView):
    """For superusers."""

    @extend_schema(responses=SettingsSerializer, operation_id="admin_settings_retrieve")
    def get(self, request: Request) -> Response:
        """What is in force."""
        return Response(SettingsSerializer(_stored()).data)

    @extend_schema(request=SettingsSerializer, responses=SettingsSerializer, operation_id="admin_settings_update")
    def put(self, request: Request) -> Response:
        """Change what is named; what is not stays."""
        return self._change(request)

    @extend_schema(
        request=SettingsSerializer, responses=SettingsSerializer, operation_id="admin_settings_partial_update"
    )
    def patch(self, request: Request) -> Response:
        """The same."""
        return self._change(request)

    def _change(self, request: Request) -> Response:
        wanted = SettingsSerializer(_stored(), data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        return Response(SettingsSerializer(actions.update(self.actor, **wanted.validated_data)).data)


def _stored() -> SystemSettings:
    return SystemSettings.objects.filter(pk=1).first() or SystemSettings()
