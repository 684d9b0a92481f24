"""``/authenticators/…/``: people see, name and remove their own factors, superusers everybody's.

Nobody makes one here: a factor is proved while it is made, and that is what the set-up flows are for. In a browser,
removing needs the same recent and full login as on the pages (S-512); a token cannot show one and may remove nothing
of its own user's.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from doorward.identity.api.authenticators import serializers as shown
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.permissions import Permitted, SignedIn, user_of, visible
from doorward.identity.api.resource import FILTERS, NUMBER, Rules
from doorward.identity.api.used_by import UsedByAction
from doorward.identity.authenticators import actions, queries
from doorward.identity.authenticators.models import Device, EmailDevice, StaticDevice, TOTPDevice, WebAuthnDevice
from doorward.identity.authenticators.standing import Standing, standing
from doorward.identity.directory.models import User
from doorward.identity.logins.queries import current

D = TypeVar("D", bound=Device)

LOG_IN_AGAIN = "Log in again, with your second factor, to remove one."


class DeviceFilters(Filters):
    name = exactly("name")


class Devices(
    Rules,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet[D],
    Generic[D],
):
    """Factors of one kind, of everybody."""

    permission_classes: list[type[BasePermission]] = [Permitted]
    filter_backends = FILTERS
    filterset_class = DeviceFilters
    lookup_url_kwarg = "id"
    lookup_value_regex = NUMBER
    search_fields = ["name"]
    orders = {"name": "name"}
    ordering = ["name"]

    def get_queryset(self) -> QuerySet[D]:
        objects = super().get_queryset()
        return visible(self.request, objects) if Permitted in self.permission_classes else objects

    def perform_update(self, serializer: BaseSerializer[D]) -> None:
        assert serializer.instance is not None
        if "name" in serializer.validated_data:
            actions.rename(self.actor, serializer.instance, serializer.validated_data["name"])

    def perform_destroy(self, instance: D) -> None:
        if self.request.auth is None and standing(self.request._request) is not Standing.GOOD:
            raise PermissionDenied(LOG_IN_AGAIN)
        actions.remove(self.actor, instance)


class OwnDevices(Devices[D], UsedByAction, Generic[D]):
    """Those of whoever asks."""

    permission_classes = [SignedIn]

    def get_queryset(self) -> QuerySet[D]:
        return super().get_queryset().filter(user=user_of(self.request))

    def perform_destroy(self, instance: D) -> None:
        login = None if self.request.auth is not None else current(self.request._request)
        if login is None or standing(self.request._request) is not Standing.GOOD:
            raise PermissionDenied(LOG_IN_AGAIN)
        actions.remove(self.actor, instance, keep_sid=login.sid)


class TOTPDevices(OwnDevices[TOTPDevice]):
    queryset = TOTPDevice.objects.select_related("user")
    serializer_class = shown.TOTPDeviceSerializer


class StaticDevices(OwnDevices[StaticDevice]):
    queryset = StaticDevice.objects.select_related("user")
    serializer_class = shown.StaticDeviceSerializer


class EmailDevices(OwnDevices[EmailDevice]):
    queryset = EmailDevice.objects.select_related("user")
    serializer_class = shown.EmailDeviceSerializer


class WebAuthnDevices(OwnDevices[WebAuthnDevice]):
    queryset = WebAuthnDevice.objects.select_related("user")
    serializer_class = shown.WebAuthnDeviceSerializer


class AdminTOTPDevices(Devices[TOTPDevice]):
    queryset = TOTPDevice.objects.select_related("user")
    serializer_class = shown.TOTPDeviceSerializer


class AdminStaticDevices(Devices[StaticDevice]):
    queryset = StaticDevice.objects.select_related("user")
    serializer_class = shown.StaticDeviceSerializer


class AdminEmailDevices(Devices[EmailDevice]):
    queryset = EmailDevice.objects.select_related("user")
    serializer_class = shown.EmailDeviceSerializer


class AdminWebAuthnDevices(Devices[WebAuthnDevice]):
    queryset = WebAuthnDevice.objects.select_related("user")
    serializer_class = shown.WebAuthnDeviceSerializer


class AllDevices(Rules):
    """``/authenticators/all/``: all kinds in one list, which has no pages."""

    permission_classes = [SignedIn]

    @extend_schema(
        operation_id="authenticators_all_list", responses=shown.DeviceSerializer(many=True), tags=["authenticators"]
    )
    def get(self, request: Request) -> Response:
        return Response(shown.described(queries.devices(user_of(request))))


class AllDevicesOfAUser(Rules):
    """``/authenticators/admin/all/?user=``"""

    need = "authentik_core.view_user"

    @extend_schema(
        operation_id="authenticators_admin_all_list",
        parameters=[OpenApiParameter("user", OpenApiTypes.INT)],
        responses=shown.DeviceSerializer(many=True),
        tags=["authenticators"],
    )
    def get(self, request: Request) -> Response:
        wanted = request.query_params.get("user", "")
        if not wanted:
            return Response(shown.described(_everybodys()))
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
            raise ValidationError({"user": ["A number is needed."]})
        return Response(shown.described(queries.devices(get_object_or_404(User, pk=int(wanted)))))


def _everybodys() -> list[Device]:
    return [device for kind in queries.ALL for device in queries.KINDS[kind]._default_manager.order_by("pk")[:1000]]


DEVICES: dict[str, Any] = {
    "authenticators/admin/email": AdminEmailDevices,
    "authenticators/admin/static": AdminStaticDevices,
    "authenticators/admin/totp": AdminTOTPDevices,
    "authenticators/admin/webauthn": AdminWebAuthnDevices,
    "authenticators/email": EmailDevices,
    "authenticators/static": StaticDevices,
    "authenticators/totp": TOTPDevices,
    "authenticators/webauthn": WebAuthnDevices,
}
