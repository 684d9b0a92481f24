"""``/events/events/``: what happened. Appended to by outposts and superusers, changed by nobody (S-619)."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import UTC, timedelta
from typing import Any

from django.core.validators import validate_ipv46_address
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDay
from django.http import StreamingHttpResponse
from django.utils import timezone
from django_filters import CharFilter, IsoDateTimeFilter, MultipleChoiceFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
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
from doorward.identity.events import exporting
from doorward.identity.events.actions import record
from doorward.identity.events.models import Event
from doorward.identity.events.wanted import SEARCHED

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
    app = exactly("app")
    created__gte = IsoDateTimeFilter(field_name="created", lookup_expr="gte")
    created__lte = IsoDateTimeFilter(field_name="created", lookup_expr="lte")

    def by_application(self, events: QuerySet[Event], name: str, pk: str) -> QuerySet[Event]:
        """Events keep an application's key without dashes."""
        return events.filter(context__authorized_application__pk=pk.replace("-", ""))

    def by_object(self, events: QuerySet[Event], name: str, pk: str) -> QuerySet[Event]:
        return events.filter(context__model__pk=pk.replace("-", ""))


class VolumeSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(list(ACTIONS.items()))
    time = serializers.DateTimeField()
    count = serializers.IntegerField()


class TopSerializer(serializers.Serializer[Any]):
    application = serializers.DictField()
    counted_events = serializers.IntegerField()
    unique_users = serializers.IntegerField()


HISTORY = OpenApiParameter("history_days", OpenApiTypes.NUMBER, description="7 unless it is said.")
TOP = OpenApiParameter("top_n", OpenApiTypes.INT, description="How many at most; 15 unless it is said.")
FORMAT = OpenApiParameter("export_format", OpenApiTypes.STR, enum=["jsonl", "csv"])


def _number(request: Request, name: str, usual: int, most: int) -> int:
    """A whole number between 1 and ``most``. Raises ValidationError."""
    text = request.query_params.get(name, "")
    if not text:
        return usual
    if not text.isascii() or not text.isdecimal() or len(text) > 4 or not 1 <= int(text) <= most:
        raise serializers.ValidationError({name: [f"A whole number from 1 to {most}."]})
    return int(text)


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
    extra_parameters = ("history_days", "top_n", "export_format")
    orders = {"created": "created", "action": "action", "app": "app", "client_ip": "client_ip"}
    ordering = ["-created"]

    def perform_create(self, serializer: serializers.BaseSerializer[Event]) -> None:
        data = serializer.validated_data
        actor = self.actor
        if data.get("client_ip"):
            actor = dataclasses.replace(actor, client_ip=data["client_ip"])
        serializer.instance = record(data["action"], data["app"], actor, **data.get("context", {}))

    @extend_schema(responses=VolumeSerializer(many=True), parameters=[HISTORY])
    @action(detail=False, pagination_class=None)
    def volume(self, request: Request) -> Response:
        """How many events of each action there were on each of the last days."""
        since = timezone.now() - timedelta(days=_number(request, "history_days", 7, 366))
        rows = (
            self.filter_queryset(self.get_queryset())
            .filter(created__gte=since)
            .order_by()
            .annotate(time=TruncDay("created", tzinfo=UTC))
            .values("action", "time")
            .annotate(count=Count("pk"))
            .order_by("time", "action")
        )
        return Response(VolumeSerializer([row for row in rows if row["action"] in ACTIONS], many=True).data)

    @extend_schema(responses=TopSerializer(many=True), parameters=[TOP])
    @action(detail=False, pagination_class=None)
    def top_per_user(self, request: Request) -> Response:
        """Which applications were entered most: how often, and by how many users."""
        found = self.filter_queryset(self.get_queryset()).order_by("-created")
        newest = Event.objects.filter(pk__in=found.values("pk")[:SEARCHED])
        named = newest.filter(context__authorized_application__isnull=False)
        counts: Counter[str] = Counter()
        people: dict[str, set[object]] = {}
        applications: dict[str, dict[str, Any]] = {}
        for context, user in named.values_list("context", "user").iterator(500):
            application = context["authorized_application"]
            if not isinstance(application, dict):
                continue
            key = str(application.get("pk"))
            counts[key] += 1
            people.setdefault(key, set()).add(user.get("pk"))
            applications.setdefault(key, application)
        return Response(
            [
                {"application": applications[key], "counted_events": count, "unique_users": len(people[key])}
                for key, count in counts.most_common(_number(request, "top_n", 15, 100))
            ]
        )

    @extend_schema(
        responses={(200, "application/x-ndjson"): str},
        parameters=[FORMAT],
        operation_id="events_events_export_retrieve",
    )
    @action(detail=False, pagination_class=None)
    def export(self, request: Request) -> StreamingHttpResponse:
        """The events that the same filters list, as JSON Lines or CSV, however many."""
        kind = "csv" if request.query_params.get("export_format") == "csv" else "jsonl"
        found = self.filter_queryset(self.get_queryset())
        answer = StreamingHttpResponse(exporting.written(found, kind), content_type=exporting.FORMATS[kind])
        answer["Content-Disposition"] = f'attachment; filename="events.{kind}"'
        return answer

    @extend_schema(responses=TypeCreate(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def actions(self, request: Request) -> Response:
        """Every action that an event may be about."""
        return Response(
            [{"name": text, "description": "", "component": name, "model_name": ""} for name, text in ACTIONS.items()]
        )
