"""``/core/authenticated_sessions/``: who is logged in where. Others' as roles say (S-602)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers

from doorward.identity.api.core.user_agents import described
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.permissions import OwnOrPermitted, own_or_visible
from doorward.identity.api.resource import UUID, ReadResource
from doorward.identity.logins import actions, places
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.queries import current


class SessionSerializer(serializers.ModelSerializer[LoginSession]):
    """Nothing here lets its reader use the session: neither the cookie nor the key that it is kept under."""

    current = serializers.SerializerMethodField()
    user_agent = serializers.SerializerMethodField()
    geo_ip = serializers.SerializerMethodField()
    asn = serializers.SerializerMethodField()
    last_ip = serializers.SerializerMethodField()
    expires = serializers.DateTimeField(source="expire_date", read_only=True)

    class Meta:
        model = LoginSession
        fields = [
            "uuid",
            "current",
            "user_agent",
            "geo_ip",
            "asn",
            "user",
            "last_ip",
            "last_user_agent",
            "last_used",
            "expires",
        ]
        read_only_fields = fields

    def get_current(self, session: LoginSession) -> bool:
        return bool(self.context.get("current_uuid") == session.uuid)

    def get_user_agent(self, session: LoginSession) -> dict[str, Any]:
        return described(session.last_user_agent)

    def get_geo_ip(self, session: LoginSession) -> dict[str, Any] | None:
        """Where its last address is, if a database says so."""
        place = places.look(session.last_ip)
        if not place.country and not place.continent:
            return None
        return {"continent": place.continent, "country": place.country, "city": place.city, "lat": None, "long": None}

    def get_asn(self, session: LoginSession) -> dict[str, Any] | None:
        place = places.look(session.last_ip)
        if not place.asn:
            return None
        return {"asn": place.asn, "as_org": place.asn_name or None, "network": place.asn_network or None}

    def get_last_ip(self, session: LoginSession) -> str:
        return session.last_ip or ""


class SessionFilters(Filters):
    user__username = exactly("user__username")
    session__last_ip = exactly("last_ip")
    session__last_user_agent = exactly("last_user_agent")


@extend_schema(tags=["core"])
class AuthenticatedSessions(mixins.DestroyModelMixin, ReadResource[LoginSession]):
    queryset = LoginSession.objects.filter(user__isnull=False)
    permission_classes = [OwnOrPermitted]
    serializer_class = SessionSerializer
    filterset_class = SessionFilters
    lookup_field = "uuid"
    lookup_value_regex = UUID
    search_fields = ["user__username", "last_ip", "last_user_agent"]
    orders = {
        "user__username": "user__username",
        "session__last_ip": "last_ip",
        "session__last_used": "last_used",
        "last_used": "last_used",
        "expires": "expire_date",
    }
    ordering = ["-last_used"]

    def get_queryset(self) -> QuerySet[LoginSession]:
        return own_or_visible(self.request, super().get_queryset().filter(expire_date__gt=timezone.now()))

    def get_serializer_context(self) -> dict[str, Any]:
        own = current(self.request._request) if self.request.auth is None else None
        return {**super().get_serializer_context(), "current_uuid": own.uuid if own else None}

    def perform_destroy(self, instance: LoginSession) -> None:
        actions.end(self.actor, instance)
