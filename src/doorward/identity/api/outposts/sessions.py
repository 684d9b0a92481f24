"""``/doorward/proxy_sessions/``: who is in which application. Users see and end their own, superusers all (S-602).

The original shows logins only; its outposts keep these where no API reaches them. So they stand under a name of our
own.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from doorward.identity.api.core.user_agents import described
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.permissions import SignedIn, is_superuser, user_of
from doorward.identity.api.resource import FILTERS, Rules
from doorward.identity.outposts import live
from doorward.identity.outposts.models import StoredSession


class ProxySessionSerializer(serializers.ModelSerializer[StoredSession]):
    """Nothing here lets its reader use the session: ``pk`` is the hash under which it is kept; no token is shown."""

    pk = serializers.CharField(source="id_hash", read_only=True)
    username = serializers.CharField(source="user.username", read_only=True)
    application = serializers.CharField(source="provider.application.slug", read_only=True)
    application_name = serializers.CharField(source="provider.application.name", read_only=True)
    login = serializers.UUIDField(source="login_session.uuid", read_only=True, allow_null=True, default=None)
    last_ip = serializers.SerializerMethodField()
    user_agent = serializers.SerializerMethodField()
    last_used = serializers.DateTimeField(source="last_seen", read_only=True)

    class Meta:
        model = StoredSession
        fields = [
            "pk",
            "user",
            "username",
            "application",
            "application_name",
            "provider",
            "login",
            "last_ip",
            "user_agent",
            "created",
            "last_used",
            "expires",
        ]
        read_only_fields = fields

    def get_last_ip(self, session: StoredSession) -> str:
        """Of the login that it came from."""
        return (session.login_session.last_ip or "") if session.login_session is not None else ""

    @extend_schema_field(serializers.DictField())
    def get_user_agent(self, session: StoredSession) -> dict[str, Any] | None:
        return described(session.login_session.last_user_agent) if session.login_session is not None else None


class ProxySessionFilters(Filters):
    user__username = exactly("user__username")
    application = exactly("provider__application__slug")
    login = exactly("login_session__uuid")


@extend_schema(tags=["doorward"])
class ProxySessions(Rules, mixins.DestroyModelMixin, ReadOnlyModelViewSet[StoredSession]):
    """Those that live now, the last used first."""

    queryset = StoredSession.objects.none()
    permission_classes = [SignedIn]
    serializer_class = ProxySessionSerializer
    filter_backends = FILTERS
    filterset_class = ProxySessionFilters
    lookup_url_kwarg = "id"
    lookup_value_regex = "[0-9a-f]{1,64}"
    search_fields = ["user__username", "provider__application__slug", "provider__application__name"]
    orders = {
        "user__username": "user__username",
        "application": "provider__application__slug",
        "created": "created",
        "last_used": "last_seen",
        "expires": "expires",
    }
    ordering = ["-last_seen"]

    def get_queryset(self) -> QuerySet[StoredSession]:
        found = live.sessions()
        return found if is_superuser(self.request) else found.filter(user=user_of(self.request))

    def perform_destroy(self, instance: StoredSession) -> None:
        live.end(self.actor, instance)
