"""What somebody was told, on a page of their own."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorward.identity.notifications.actions import mark_seen
from doorward.identity.notifications.models import Notification
from doorward.identity.web.pages.access import person, signed_in
from doorward.identity.web.pages.answers import done, show_own
from doorward.identity.web.pages.listing import page_of


@require_GET
@signed_in
def notifications(request: HttpRequest) -> HttpResponse:
    """``/if/user/notifications/``: the newest first."""
    rows = page_of(request, Notification.objects.filter(user=person(request)).select_related("event"))
    return show_own(request, "notifications.html", title=_("Notifications"), rows=rows)


@require_POST
@signed_in
def see(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Mark one as seen."""
    told = get_object_or_404(Notification, pk=uuid, user=person(request))
    mark_seen(told.user, pk=told.pk)
    return done(request, reverse("own-notifications"), _("Marked as seen."))


@require_POST
@signed_in
def see_all(request: HttpRequest) -> HttpResponse:
    """Mark all as seen."""
    mark_seen(person(request))
    return done(request, reverse("own-notifications"), _("All are marked as seen."))
