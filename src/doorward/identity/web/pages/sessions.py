"""Who is where at this moment: logins at the identity provider, and sessions at applications; each ends by a click."""

from __future__ import annotations

from uuid import UUID

from django.core.paginator import Page
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from doorward.identity.events.actor import Actor
from doorward.identity.logins import actions as logins
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.queries import current
from doorward.identity.logins.session_store import IDLE
from doorward.identity.outposts import live
from doorward.identity.outposts.models import StoredSession
from doorward.identity.web.pages.access import administrators, person, signed_in
from doorward.identity.web.pages.account import ACCOUNT
from doorward.identity.web.pages.answers import done, show_admin
from doorward.identity.web.pages.listing import Choice, page_of, search_text
from doorward.identity.web.pages.live_rows import Row, at_application, of_login
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}sessions/"
KINDS = {"applications": gettext_noop("At applications"), "logins": gettext_noop("Logins here")}


@require_GET
@administrators
def sessions(request: HttpRequest) -> HttpResponse:
    """``/if/admin/sessions/``, narrowed by ``?q=`` (user, application, address, browser) and ``?kind=``."""
    query, kind = search_text(request), Choice.read(request, "kind", _("Kind"), KINDS)
    rows, page = _logins_of(request, query) if kind.value == "logins" else _sessions_of(request, query)
    return show_admin(
        request,
        "sessions.html",
        section=SECTION,
        title=_("Sessions"),
        page=page,
        rows=rows,
        query=query,
        filters=[kind],
    )


def _logins_of(request: HttpRequest, query: str) -> tuple[list[Row], Page[LoginSession]]:
    page, this = page_of(request, _logins(query)), current(request)
    return [of_login(login, this) for login in page], page


def _sessions_of(request: HttpRequest, query: str) -> tuple[list[Row], Page[StoredSession]]:
    page = page_of(request, _at_applications(query))
    return [at_application(session, "admin-session-end") for session in page], page


@require_POST
@administrators
def end(request: HttpRequest, session: str) -> HttpResponse:
    """``/if/admin/sessions/<session>/end/``"""
    ended = get_object_or_404(live.sessions(), pk=session)
    live.end(Actor.of(request), ended)
    return done(
        request,
        SECTION,
        _("%(user)s is out of %(name)s.") % {"user": ended.user, "name": ended.provider.application.name},
    )


@require_POST
@administrators
def end_login(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/logins/<uuid>/end/``: with it ends everything that came of it."""
    login, this = get_object_or_404(LoginSession, uuid=uuid, user__isnull=False), current(request)
    if this is not None and this.pk == login.pk:
        logins.log_out(request)
        return done(request, "/", _("You are logged out."))
    logins.end(Actor.of(request), login)
    return done(request, f"{SECTION}?kind=logins", _("That login of %(user)s has ended.") % {"user": login.user})


@require_POST
@signed_in
def end_own(request: HttpRequest, session: str) -> HttpResponse:
    """``/if/user/sessions/<session>/end/``; another's is not there (S-602)."""
    ended = get_object_or_404(live.sessions(), pk=session, user=person(request))
    live.end(Actor.of(request), ended)
    return done(request, ACCOUNT, _("You are out of %(name)s there.") % {"name": ended.provider.application.name})


def _logins(query: str) -> QuerySet[LoginSession]:
    now = timezone.now()
    living = LoginSession.objects.filter(user__is_active=True, expire_date__gt=now)
    living = living.filter(Q(remembered=True) | Q(last_used__gt=now - IDLE))
    asked = Q(user__username__icontains=query) | Q(last_ip__icontains=query) | Q(last_user_agent__icontains=query)
    return living.filter(asked).select_related("user").order_by("-last_used")


def _at_applications(query: str) -> QuerySet[StoredSession]:
    asked = (
        Q(user__username__icontains=query)
        | Q(provider__application__name__icontains=query)
        | Q(provider__application__slug__icontains=query)
        | Q(login_session__last_ip__icontains=query)
        | Q(login_session__last_user_agent__icontains=query)
    )
    return live.sessions().filter(asked) if query else live.sessions()
