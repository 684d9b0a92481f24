"""Users: list, create, change, one at a glance."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.authenticators import queries as authenticators
from doorward.identity.directory import actions
from doorward.identity.directory.models import User
from doorward.identity.directory.queries import superusers
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.queries import current, of_user, sid_to_spare
from doorward.identity.roles.queries import roles_of
from doorward.identity.web.forms.people import NewUserForm, UserForm
from doorward.identity.web.pages import factors
from doorward.identity.web.pages.access import administrators, person
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.browsers import seen
from doorward.identity.web.pages.doers import who_may
from doorward.identity.web.pages.happenings import about_user
from doorward.identity.web.pages.listing import Choice, page_of, search_text
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.needs import may_see, narrowed

SECTION = f"{ROOT}users/"
UP: list[Crumb] = [(gettext_lazy("Users"), SECTION)]
STATES = {
    "": gettext_noop("All users"),
    "active": gettext_noop("Active"),
    "deactivated": gettext_noop("Deactivated"),
    "administrators": gettext_noop("Administrators"),
}


@require_GET
@administrators
def users(request: HttpRequest) -> HttpResponse:
    """``/if/admin/users/``, narrowed by ``?q=`` and ``?state=``."""
    query, state = search_text(request), Choice.read(request, "state", _("State"), STATES)
    found = (
        narrowed(request, User.objects.all())
        .filter(Q(username__icontains=query) | Q(name__icontains=query) | Q(email__icontains=query))
        .prefetch_related("groups")
    )
    rows = page_of(request, _in_state(found, state.value))
    return show_admin(request, "users.html", section=SECTION, title="Users", rows=rows, query=query, filters=[state])


def _in_state(found: QuerySet[User], state: str) -> QuerySet[User]:
    match state:
        case "active":
            return found.filter(is_active=True)
        case "deactivated":
            return found.filter(is_active=False)
        case "administrators":
            return found.filter(pk__in=superusers().values("pk"))
    return found


@require_GET
@administrators
def user(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/users/<pk>/``"""
    shown = find(pk)
    return show_admin(
        request,
        "user.html",
        section=SECTION,
        title=shown.username,
        crumbs=UP,
        user=shown,
        is_oneself=shown.pk == person(request).pk,
        groups=shown.groups.all(),
        inherited=[group for group in shown.all_groups() if group not in set(shown.groups.all())],
        logins=seen(of_user(shown), current(request)) if may_see(request, LoginSession) else [],
        factors=_factors(shown),
        tokens=narrowed(request, shown.tokens.all()),
        roles=roles_of(shown),
        doers=who_may(shown),
        events=about_user(shown) if may_see(request, Event) else [],
    )


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/user/``"""
    form = NewUserForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        values = {**form.cleaned_data, "password": form.cleaned_data["password"] or None}
        with errors_at(form):
            made = actions.create_user(Actor.of(request), **values)
            return done(request, address(made), _("The user “%(made)s” is created.") % {"made": made})
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="New user",
        crumbs=UP,
        form=form,
        submit="Create user",
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/users/<pk>/edit/``"""
    changed = find(pk)
    form = UserForm(request.POST if request.method == "POST" else None, user=changed)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.update_user(
                Actor.of(request), changed, keep_sid=sid_to_spare(request, changed), **form.cleaned_data
            )
            return done(request, address(changed), _("Saved, and in force."))
    stored = find(pk)
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("Edit %(username)s") % {"username": stored.username},
        crumbs=[*UP, (stored.username, address(stored))],
        form=form,
        back=address(stored),
        status=status_of(form),
    )


def _factors(shown: User) -> list[factors.SeenFactor]:
    codes = authenticators.codes_left(shown)
    return [factors.seen(device, codes) for device in authenticators.devices(shown)]


def find(pk: int) -> User:
    """Raises Http404."""
    return get_object_or_404(User, pk=pk)


def address(of: User) -> str:
    """Of their page."""
    return reverse("admin-user", args=[of.pk])
