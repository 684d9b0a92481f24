"""``/core/applications/``: what people may open. Everybody sees what they may enter; managing is as roles say."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.api.core.application_serializer import ApplicationSerializer
from doorward.identity.api.filtering import Filters, exactly
from doorward.identity.api.permissions import OpenReads, SignedIn, powers, require, user_of, visible
from doorward.identity.api.policies.testing import PolicyTestResult
from doorward.identity.api.resource import SLUG, Resource, flag
from doorward.identity.applications import actions
from doorward.identity.applications.models import Application
from doorward.identity.applications.queries import accessible, launch_url
from doorward.identity.directory.models import User
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.queries import verdict

VIEW = "authentik_core.view_application"
OF_USER = "authentik_core.view_user_applications"


class ApplicationFilters(Filters):
    name = exactly("name")
    slug = exactly("slug")
    group = exactly("group")
    meta_launch_url = exactly("meta_launch_url")
    meta_description = exactly("meta_description")
    meta_publisher = exactly("meta_publisher")


LIST_PARAMETERS = [
    OpenApiParameter("superuser_full_list", bool),
    OpenApiParameter("only_with_launch_url", bool),
    OpenApiParameter("for_user", int),
]


@extend_schema_view(list=extend_schema(parameters=LIST_PARAMETERS))
class Applications(Resource[Application]):
    queryset = Application.objects.select_related("provider__oauth2provider__proxyprovider").prefetch_related(
        "provider__oauth2provider__scope_mappings"
    )
    permission_classes = [OpenReads]
    serializer_class = ApplicationSerializer
    filterset_class = ApplicationFilters
    lookup_field = "slug"
    lookup_value_regex = SLUG
    search_fields = ["name", "slug", "meta_description", "meta_publisher", "group"]
    extra_parameters = ("superuser_full_list", "only_with_launch_url", "for_user")
    orders = {"name": "name", "slug": "slug", "group": "group"}
    ordering = ["name"]

    def filter_queryset(self, queryset: QuerySet[Application, Any]) -> QuerySet[Application, Any]:
        """Narrowed to what may be entered: by whoever asks, or by the user whom an administrator asks about (S-602)."""
        applications = super().filter_queryset(queryset)
        managed = visible(self.request, applications)
        if self.action == "list":
            manages = powers(self.request).may_somewhere(VIEW)
            if manages and flag(self.request, "superuser_full_list", default=False):
                return managed
            return self._enterable(applications, self._subject())
        if powers(self.request).may(VIEW):
            return applications
        return managed | self._enterable(applications, user_of(self.request))

    def _enterable(self, applications: QuerySet[Application, Any], user: User) -> QuerySet[Application, Any]:
        bound = applications.prefetch_related("bindings__group", "bindings__user", "bindings__policy")
        entered = accessible(user, bound, Asked.by(self.request))
        if self.action == "list" and flag(self.request, "only_with_launch_url", default=False):
            entered = [application for application in entered if launch_url(application, user)]
        return applications.filter(pk__in=[application.pk for application in entered])

    def _subject(self) -> User:
        wanted = self.request.query_params.get("for_user")
        if not wanted:
            return user_of(self.request)
        if not powers(self.request).may_somewhere(OF_USER):
            raise PermissionDenied
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
            raise ValidationError({"for_user": ["A user's number is expected."]})
        require(self.request, OF_USER, int(wanted))
        return get_object_or_404(User, pk=int(wanted))

    def make(self, data: dict[str, Any]) -> Application:
        return actions.create_application(self.actor, **data)

    def change(self, instance: Application, data: dict[str, Any]) -> Application:
        return actions.update_application(self.actor, instance, **data)

    def remove(self, instance: Application) -> None:
        actions.delete_application(self.actor, instance)

    @extend_schema(parameters=[OpenApiParameter("for_user", int)], responses=PolicyTestResult, filters=False)
    @action(detail=True, permission_classes=[SignedIn], pagination_class=None)
    def check_access(self, request: Request, slug: str) -> Response:
        """May whoever asks, or the user whom an administrator asks about, enter? Administrators are told why not."""
        subject = self._subject()
        judged = verdict(get_object_or_404(Application, slug=slug), subject)
        if not judged.passing and not powers(request).may(VIEW):
            return Response({"passing": False, "messages": [], "log_messages": []})
        return Response({"passing": judged.passing, "messages": list(judged.reasons), "log_messages": []})
