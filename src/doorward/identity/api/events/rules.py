"""``/events/rules/``, ``/events/transports/`` and ``/propertymappings/notification/``: who is told, and how.

For superusers: whoever writes a transport has this program send requests into its network (S-650), and events say
things that not everybody should be told.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator

from doorward.identity.api import plain_writes
from doorward.identity.api.core.groups import GroupSerializer
from doorward.identity.api.described import DESCRIBED, DescribedSerializer, Description
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.permissions import user_of
from doorward.identity.api.resource import UUID, Resource
from doorward.identity.notifications import actions
from doorward.identity.notifications.messages import TROUBLE
from doorward.identity.notifications.models import Rule, Transport, WebhookMapping

WEBHOOK_MAPPING = Description(
    "ak-property-mapping-notification-form",
    "Webhook Mapping",
    "Webhook Mappings",
    "authentik_events.notificationwebhookmapping",
    "Makes the body or the headers of a webhook's request.",
)


class RuleSerializer(serializers.ModelSerializer[Rule]):
    name = serializers.CharField(max_length=200, validators=[UniqueValidator(Rule.objects.all())])
    transports = serializers.PrimaryKeyRelatedField(many=True, queryset=Transport.objects.all(), required=False)
    destination_group_obj = GroupSerializer(source="destination_group", read_only=True, allow_null=True)

    class Meta:
        model = Rule
        fields = [
            "pk",
            "name",
            "transports",
            "severity",
            "destination_group",
            "destination_group_obj",
            "destination_event_user",
        ]


class RuleFilters(Filters):
    name = exactly("name")
    severity = exactly("severity")
    destination_group__name = exactly("destination_group__name")


class NotificationRules(Resource[Rule]):
    queryset = Rule.objects.select_related("destination_group").prefetch_related("transports")
    serializer_class = RuleSerializer
    filterset_class = RuleFilters
    lookup_url_kwarg = "pbm_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name"}
    ordering = ["name"]

    def make(self, data: dict[str, Any]) -> Rule:
        return plain_writes.create(self.actor, Rule, data)

    def change(self, instance: Rule, data: dict[str, Any]) -> Rule:
        return plain_writes.update(self.actor, instance, data)

    def remove(self, instance: Rule) -> None:
        plain_writes.delete(self.actor, instance)


class TransportSerializer(serializers.ModelSerializer[Transport]):
    name = serializers.CharField(max_length=200, validators=[UniqueValidator(Transport.objects.all())])
    mode_verbose = serializers.SerializerMethodField()
    webhook_ca = Fixed(None)
    email_template = Fixed("")

    class Meta:
        model = Transport
        fields = [
            "pk",
            "name",
            "mode",
            "mode_verbose",
            "webhook_url",
            "webhook_ca",
            "webhook_mapping_body",
            "webhook_mapping_headers",
            "email_subject_prefix",
            "email_template",
            "send_once",
        ]

    def get_mode_verbose(self, transport: Transport) -> str:
        return str(transport.get_mode_display())


class TransportTestSerializer(serializers.Serializer[Any]):
    messages = serializers.ListField(child=serializers.CharField())


class TransportFilters(Filters):
    name = exactly("name")
    mode = exactly("mode")
    webhook_url = exactly("webhook_url")


class NotificationTransports(Resource[Transport]):
    queryset = Transport.objects.all()
    serializer_class = TransportSerializer
    filterset_class = TransportFilters
    lookup_url_kwarg = "uuid"
    lookup_value_regex = UUID
    search_fields = ["name", "mode"]
    orders = {"name": "name", "mode": "mode"}
    ordering = ["name"]

    def make(self, data: dict[str, Any]) -> Transport:
        return plain_writes.create(self.actor, Transport, data)

    def change(self, instance: Transport, data: dict[str, Any]) -> Transport:
        return plain_writes.update(self.actor, instance, data)

    def remove(self, instance: Transport) -> None:
        plain_writes.delete(self.actor, instance)

    @extend_schema(request=None, responses=TransportTestSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, uuid: str) -> Response:
        """Tell whoever asks something by it, now."""
        try:
            said = actions.send_test(self.actor, self.get_object(), user_of(request))
        except TROUBLE as error:
            raise ValidationError({"non_field_errors": [str(error)]}) from error
        return Response({"messages": [said]})


class WebhookMappingSerializer(DescribedSerializer, serializers.ModelSerializer[WebhookMapping]):
    name = serializers.CharField(max_length=200, validators=[UniqueValidator(WebhookMapping.objects.all())])

    class Meta:
        model = WebhookMapping
        fields = ["pk", "name", "expression", *DESCRIBED]

    def describe(self, instance: WebhookMapping) -> Description:
        return WEBHOOK_MAPPING


class MappingFilters(Filters):
    name = exactly("name")


class WebhookMappings(Resource[WebhookMapping]):
    queryset = WebhookMapping.objects.all()
    serializer_class = WebhookMappingSerializer
    filterset_class = MappingFilters
    lookup_url_kwarg = "pm_uuid"
    lookup_value_regex = UUID
    search_fields = ["name"]
    orders = {"name": "name"}
    ordering = ["name"]

    def make(self, data: dict[str, Any]) -> WebhookMapping:
        return plain_writes.create(self.actor, WebhookMapping, data)

    def change(self, instance: WebhookMapping, data: dict[str, Any]) -> WebhookMapping:
        return plain_writes.update(self.actor, instance, data)

    def remove(self, instance: WebhookMapping) -> None:
        plain_writes.delete(self.actor, instance)
