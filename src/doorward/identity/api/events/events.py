"""``/events/events/``: what happened. Appended to by outposts and superusers, changed by nobody (S-619)."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.core.validators import validate_ipv46_address
from django.db.models import QuerySet
from django_filters import CharFilter, MultipleChoiceFilter
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from doorward.identity.api.described import TypeCreate
from doorward.identity.api.events.words import ACTIONS
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.outposts.serving import outpost_of
from doorward.identity.api.permissions import SAFE, is_superuser, powers
from doorward.identity.api.resource import FILTERS, UUID, Rules
from doorward.identity.directory.models import User
from doorward.identity.events.actions import record
from doorward.identity.events.models import Event

LARGEST_CONTEXT = 50
"""Keys that a reporter may give at most."""


class EventSerializer(serializers.ModelSerializer[Event]):
    """``user``, ``created`` and ``brand`` are what the server knows, whatever a reporter says."""

    action = serializers.ChoiceField(list(ACTIONS.items()))
    app = serializers.CharField(max_length=256)
    context = serializers.DictField(required=False)  # type: ignore[assignment] # a field, not the serializer's own
    client_ip = serializers.CharField(required=False, allow_null=True, validators=[validate_ipv46_address])

    class Meta:
        model = Event
        fields = ["pk", "user", "action", "app", "context", "client_ip", "created", "expires", "brand"]
        read_only_fields = ["user", "created", "expires", "brand"]

    def validate_context(self, context: dict[str, Any]) -> dict[str, Any]:
        if len(context) > LARGEST_CONTEXT or not all(key.isidentifier() for key in context):
            raise serializers.ValidationError(f"At most {LARGEST_CONTEXT} keys, each a name.")
        if taken := context.keys() & {"actor", "action", "app"}:
            raise serializers.ValidationError(f"An event has its own {', '.join(sorted(taken))}.")
        return context


class EventFilters(Filters):
    action = exactly("action")
    actions = MultipleChoiceFilter(field_name="action", choices=[(name, name) for name in ACTIONS])
    client_ip = exactly("client_ip")
    username = exactly("user__username")
    context_authorized_app = CharFilter(method="by_application")
    context_model_pk = CharFilter(method="by_object")
    context_model_app = exactly("context__model__app")
    context_model_name = exactly("context__model__model_name")
    brand_name = exactly("brand__name")

    def by_application(self, events: QuerySet[Event], name: str, pk: str) -> QuerySet[Event]:
        """Events keep an application's key without dashes."""
        return events.filter(context__authorized_application__pk=pk.replace("-", ""))

    def by_object(self, events: QuerySet[Event], name: str, pk: str) -> QuerySet[Event]:
        return events.filter(context__model__pk=pk.replace("-", ""))


class ReportsOrSuperuser(BasePermission):
    """Outposts report, superusers do everything, and whose roles permit it read."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if is_superuser(request):
            return True
        if request.method in SAFE:
            return powers(request).may("authentik_events.view_event")
        reports = request.method == "POST" and view.action == "create"
        return reports and isinstance(request.user, User) and outpost_of(request.user) is not None


class Events(Rules, mixins.CreateModelMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Event]):
    filter_backends = FILTERS
    queryset = Event.objects.all()
    permission_classes = [ReportsOrSuperuser]
    serializer_class = EventSerializer
    filterset_class = EventFilters
    lookup_url_kwarg = "event_uuid"
    lookup_value_regex = UUID
    search_fields = ["id", "user__username", "action", "app", "client_ip"]
    orders = {"created": "created", "action": "action", "app": "app", "client_ip": "client_ip"}
    ordering = ["-created"]

    def perform_create(self, serializer: serializers.BaseSerializer[Event]) -> None:
        data = serializer.validated_data
        actor = self.actor
        if data.get("client_ip"):
            actor = dataclasses.replace(actor, client_ip=data["client_ip"])
        serializer.instance = record(data["action"], data["app"], actor, **data.get("context", {}))

    @extend_schema(responses=TypeCreate(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def actions(self, request: Request) -> Response:
        """Every action that an event may be about."""
        return Response(
            [{"name": text, "description": "", "component": name, "model_name": ""} for name, text in ACTIONS.items()]
        )
