"""``/doorward/access_requests/`` and ``/doorward/access_offers/``: access that is asked for, and that ends by itself.

Users see what they have asked for and what they decide; whoever holds the permission sees all (S-602).
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from doorward.identity.access_requests import actions, queries
from doorward.identity.access_requests.models import AccessOffer, AccessRequest
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.permissions import SignedIn, powers, user_of
from doorward.identity.api.recent_login import require_recent_login
from doorward.identity.api.resource import FILTERS, SLUG, UUID, Resource, Rules
from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.policies.asked import Asked
from doorward.identity.roles import catalogue


class AccessRequestSerializer(serializers.ModelSerializer[AccessRequest]):
    application = serializers.SlugRelatedField(slug_field="slug", queryset=Application.objects.all())
    username = serializers.CharField(source="user.username", read_only=True)
    decided_by = serializers.CharField(source="decided_by.username", read_only=True, allow_null=True, default=None)
    live = serializers.SerializerMethodField()
    reason = serializers.CharField(max_length=actions.LONGEST_TEXT)

    class Meta:
        model = AccessRequest
        fields = [
            "pk",
            "application",
            "user",
            "username",
            "reason",
            "until",
            "status",
            "live",
            "created",
            "decided_by",
            "decided_at",
            "answer",
        ]
        read_only_fields = ["user", "status", "created", "decided_at", "answer"]

    def get_live(self, request: AccessRequest) -> bool:
        """Whether it gives access now."""
        return AccessRequest.objects.filter(queries.live(), pk=request.pk).exists()


class DecisionSerializer(serializers.Serializer[Any]):
    until = serializers.DateTimeField(required=False)
    answer = serializers.CharField(required=False, allow_blank=True, default="", max_length=actions.LONGEST_TEXT)


class AccessRequestFilters(Filters):
    application = exactly("application__slug")
    username = exactly("user__username")
    status = exactly("status")


@extend_schema(tags=["doorward"])
class AccessRequests(
    Rules,
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    GenericViewSet[AccessRequest],
):
    queryset = AccessRequest.objects.none()
    permission_classes = [SignedIn]
    serializer_class = AccessRequestSerializer
    filter_backends = FILTERS
    filterset_class = AccessRequestFilters
    lookup_url_kwarg = "request_uuid"
    lookup_value_regex = UUID
    search_fields = ["application__slug", "application__name", "user__username"]
    orders = {"created": "created", "until": "until", "status": "status"}
    ordering = ["-created"]

    def get_queryset(self) -> QuerySet[AccessRequest]:
        found = AccessRequest.objects.select_related("application", "user", "decided_by")
        if powers(self.request).may(catalogue.named("view", AccessRequest)):
            return found
        user = user_of(self.request)
        return found.filter(Q(user=user) | queries.decided_by(user))

    def perform_create(self, serializer: Any) -> None:
        wanted = serializer.validated_data
        if queries.offer_of(wanted["application"]) is None:
            raise NotFound
        serializer.instance = actions.ask(
            self.actor,
            wanted["application"],
            user_of(self.request),
            reason=wanted["reason"],
            until=wanted["until"],
            asked=Asked.by(self.request._request),
        )

    def _decision(self, request: Request) -> tuple[AccessRequest, dict[str, Any]]:
        found = self.get_object()
        if found.user_id != user_of(request).pk:
            require_recent_login(request)
        given = DecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return found, given.validated_data

    @extend_schema(request=DecisionSerializer, responses=AccessRequestSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, request_uuid: str) -> Response:
        """Give access, until the date that was asked for or an earlier one."""
        found, given = self._decision(request)
        return Response(self.get_serializer(actions.approve(self.actor, found, **given)).data)

    @extend_schema(request=DecisionSerializer, responses=AccessRequestSerializer)
    @action(detail=True, methods=["post"])
    def deny(self, request: Request, request_uuid: str) -> Response:
        """Refuse it."""
        found, given = self._decision(request)
        return Response(self.get_serializer(actions.deny(self.actor, found, answer=given["answer"])).data)

    @extend_schema(request=DecisionSerializer, responses=AccessRequestSerializer)
    @action(detail=True, methods=["post"])
    def shorten(self, request: Request, request_uuid: str) -> Response:
        """Have it end earlier."""
        found, given = self._decision(request)
        if "until" not in given:
            raise serializers.ValidationError({"until": ["Say when it ends."]})
        return Response(self.get_serializer(actions.shorten(self.actor, found, until=given["until"])).data)

    @extend_schema(request=DecisionSerializer, responses=AccessRequestSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, request_uuid: str) -> Response:
        """End it now; whoever has it may give it back."""
        found, given = self._decision(request)
        return Response(self.get_serializer(actions.revoke(self.actor, found, answer=given["answer"])).data)

    @extend_schema(request=None, responses=AccessRequestSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, request_uuid: str) -> Response:
        """No longer ask."""
        return Response(self.get_serializer(actions.withdraw(self.actor, self.get_object())).data)


class AccessOfferSerializer(serializers.ModelSerializer[AccessOffer]):
    application = serializers.SlugRelatedField(slug_field="slug", queryset=Application.objects.all())
    longest = serializers.CharField(max_length=128, required=False, default="days=30")
    approver_users = serializers.PrimaryKeyRelatedField(many=True, required=False, queryset=User.objects.all())
    approver_groups = serializers.PrimaryKeyRelatedField(many=True, required=False, queryset=Group.objects.all())

    class Meta:
        model = AccessOffer
        fields = ["application", "enabled", "longest", "approver_users", "approver_groups"]


class AccessOfferFilters(Filters):
    application = exactly("application__slug")


@extend_schema(tags=["doorward"])
class AccessOffers(Resource[AccessOffer]):
    """Written by whoever may change the application."""

    queryset = AccessOffer.objects.select_related("application").prefetch_related("approver_users", "approver_groups")
    serializer_class = AccessOfferSerializer
    filterset_class = AccessOfferFilters
    lookup_field = "application__slug"
    lookup_url_kwarg = "slug"
    lookup_value_regex = SLUG
    orders = {"application": "application__slug"}
    ordering = ["application__slug"]
    needs = {
        "create": "authentik_core.change_application",
        "update": "authentik_core.change_application",
        "partial_update": "authentik_core.change_application",
        "destroy": "authentik_core.change_application",
    }

    def make(self, data: dict[str, Any]) -> AccessOffer:
        application = data.pop("application")
        if AccessOffer.objects.filter(application=application).exists():
            raise serializers.ValidationError({"application": ["It can be asked for already."]})
        return self._set(application, data, {"enabled": True, "approver_users": [], "approver_groups": []})

    def change(self, instance: AccessOffer, data: dict[str, Any]) -> AccessOffer:
        if data.pop("application", instance.application) != instance.application:
            raise serializers.ValidationError({"application": ["That stays as it is."]})
        stored = {
            "enabled": instance.enabled,
            "longest": instance.longest,
            "approver_users": list(instance.approver_users.all()),
            "approver_groups": list(instance.approver_groups.all()),
        }
        return self._set(instance.application, data, stored)

    def remove(self, instance: AccessOffer) -> None:
        actions.remove_offer(self.actor, instance)

    def _set(self, application: Application, data: dict[str, Any], otherwise: dict[str, Any]) -> AccessOffer:
        values = {"longest": "days=30", **otherwise, **data}
        return actions.set_offer(self.actor, application, **values)
