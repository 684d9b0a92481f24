"""``/events/notifications/``: what one was told. Everybody sees and marks their own, and nobody else's."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.events.events import EventSerializer
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.fixed import Fixed
from doorward.identity.api.permissions import SignedIn, user_of
from doorward.identity.api.resource import UUID, ReadResource
from doorward.identity.notifications import words
from doorward.identity.notifications.actions import mark_seen
from doorward.identity.notifications.models import Notification


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    event = EventSerializer(read_only=True, allow_null=True)
    hyperlink = serializers.SerializerMethodField()
    hyperlink_label = Fixed(None)

    class Meta:
        model = Notification
        fields = ["pk", "severity", "body", "hyperlink", "hyperlink_label", "created", "event", "seen"]
        read_only_fields = ["severity", "body", "created"]

    def get_hyperlink(self, notification: Notification) -> str | None:
        return words.address_of(notification.event) if notification.event is not None else None


class NotificationFilters(Filters):
    severity = exactly("severity")
    body = exactly("body")
    seen = BooleanFilter(field_name="seen")


class Notifications(mixins.UpdateModelMixin, mixins.DestroyModelMixin, ReadResource[Notification]):
    queryset = Notification.objects.select_related("event")
    permission_classes = [SignedIn]
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilters
    lookup_url_kwarg = "uuid"
    lookup_value_regex = UUID
    search_fields = ["body"]
    orders = {"created": "created", "severity": "severity", "seen": "seen"}
    ordering = ["-created"]

    def get_queryset(self) -> QuerySet[Notification]:
        return super().get_queryset().filter(user=user_of(self.request))

    def perform_update(self, serializer: Any) -> None:
        serializer.save()

    @extend_schema(request=None, responses={204: None})
    @action(detail=False, methods=["post"], pagination_class=None)
    def mark_all_seen(self, request: Request) -> Response:
        """All of the asker's own."""
        mark_seen(user_of(request))
        return Response(status=204)
