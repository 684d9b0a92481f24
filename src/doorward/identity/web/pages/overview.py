"""The first page of the administrators: what there is, what was forgotten, what happened last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.events.models import Event
from doorward.identity.explain import data_plane
from doorward.identity.logins.models import LoginSession
from doorward.identity.outposts.models import EMBEDDED, ProxyProvider
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import show_admin
from doorward.identity.web.pages.forgotten_steps import forgotten_steps
from doorward.identity.web.pages.happenings import latest
from doorward.identity.web.pages.navigation import ROOT, navigation
from doorward.identity.web.pages.needs import powers

DEMONSTRATION = "whoami"
"""Slug of the application that ``doorward demo`` protects by itself."""
MOST_HOSTS = 30


@dataclass(frozen=True, slots=True)
class Figure:
    number: int
    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Step:
    """What is good to do in a new installation."""

    text: str
    hint: str
    address: str
    is_done: bool


@require_GET
@administrators
def overview(request: HttpRequest) -> HttpResponse:
    """``/if/admin/``: for superusers; others find the first page that is open to them."""
    held = powers(request)
    if not held.everything:
        open_to = [place for group in navigation(held) for place in group.places if place.address != ROOT]
        if not open_to:
            raise PermissionDenied
        return HttpResponseRedirect(open_to[0].address)
    served = ProxyProvider.objects.filter(outposts__managed=EMBEDDED, application__isnull=False)
    steps = next_steps()
    return show_admin(
        request,
        "overview.html",
        section=ROOT,
        title="Overview",
        figures=figures(),
        forgotten=forgotten_steps(),
        holes=data_plane.holes(),
        steps=steps if not all(step.is_done for step in steps) else [],
        hosts=served.select_related("application").order_by("external_host")[:MOST_HOSTS],
        hosts_in_all=served.count(),
        happenings=latest(),
        is_plain=settings.EXTERNAL.scheme != "https",
        external_url=settings.EXTERNAL_URL,
    )


def figures() -> list[Figure]:
    """Small numbers that say whether all is as one thinks."""
    now = timezone.now()
    failed = Event.objects.filter(action="login_failed", created__gt=now - timedelta(days=1)).count()
    logged_in = LoginSession.objects.filter(user__is_active=True, expire_date__gt=now).values("user").distinct().count()
    events = reverse("admin-events")
    return [
        Figure(Application.objects.count(), _("applications"), reverse("admin-applications")),
        Figure(
            User.objects.filter(is_active=True).count(), _("active users"), f"{reverse('admin-users')}?state=active"
        ),
        Figure(logged_in, _("logged in"), f"{events}?action=login"),
        Figure(failed, _("failed logins in 24 hours"), f"{events}?action=login_failed"),
    ]


def next_steps() -> list[Step]:
    """What most people do first, and whether it is done."""
    people = User.objects.filter(type__in=(User.Type.INTERNAL, User.Type.EXTERNAL))
    return [
        Step(
            _("Protect your first application"),
            _("One form: name, outside URL, who may enter."),
            reverse("admin-protect"),
            Application.objects.exclude(slug=DEMONSTRATION).exists(),
        ),
        Step(
            _("Create a user for everybody"),
            _("An account of their own, also for yourself."),
            reverse("admin-new-user"),
            people.count() > 1,
        ),
        Step(
            _("Make a group"),
            _("So that you can say who may enter what, once."),
            reverse("admin-new-group"),
            Group.objects.filter(is_superuser=False).exists(),
        ),
    ]
