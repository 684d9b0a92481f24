"""Applications: list, create, change, delete, and one at a glance."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.applications import actions
from doorward.identity.applications.models import Application
from doorward.identity.applications.queries import launch_url
from doorward.identity.brands import pictures
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.outposts.actions import delete_provider
from doorward.identity.web.forms.applications import ApplicationForm, BindingForm, CheckForm, DeleteApplicationForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.doers import who_may
from doorward.identity.web.pages.entry import bindings_of, checked
from doorward.identity.web.pages.listing import page_of, search_text
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.needs import may_see, narrowed
from doorward.identity.web.pages.suggestions import usernames

SECTION = f"{ROOT}applications/"
UP: list[Crumb] = [(gettext_lazy("Applications"), SECTION)]


@require_GET
@administrators
def applications(request: HttpRequest) -> HttpResponse:
    """``/if/admin/applications/``"""
    query = search_text(request)
    found = (
        narrowed(request, Application.objects.all())
        .filter(Q(name__icontains=query) | Q(slug__icontains=query) | Q(group__icontains=query))
        .select_related("provider")
    )
    rows = page_of(request, found.prefetch_related("bindings"))
    return show_admin(request, "applications.html", section=SECTION, title="Applications", rows=rows, query=query)


@require_GET
@administrators
def application(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/applications/<slug>/``; with ``?check=`` also whether that user may enter, and why not."""
    return show_application(request, find(slug), BindingForm())


def show_application(
    request: HttpRequest, shown: Application, form: BindingForm, preview: Sequence[str] = ()
) -> HttpResponse:
    """The page of one application; ``form`` adds to who may enter, ``preview`` says what that would change."""
    check = CheckForm(request.GET if "check" in request.GET else None)
    return show_admin(
        request,
        "application.html",
        section=SECTION,
        title=shown.name,
        crumbs=UP,
        application=shown,
        provider=shown.provider.concrete() if shown.provider else None,
        launch_url=launch_url(shown, None),
        bindings=bindings_of(shown),
        entitlements=shown.entitlements.prefetch_related("bindings__user", "bindings__group", "bindings__policy"),
        form=form,
        preview=preview,
        check=check,
        answer=checked(shown, check),
        now=timezone.now(),
        usernames=usernames() if may_see(request, User) else [],
        doers=who_may(shown),
        status=200 if preview else status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/application/``"""
    is_sent = request.method == "POST"
    form = ApplicationForm(
        request.POST if is_sent else None, request.FILES if is_sent else None, initial=_preset(request)
    )
    if form.is_bound and form.is_valid():
        with errors_at(form), transaction.atomic():
            made = actions.create_application(Actor.of(request), **form.changes())
            return done(request, address(made), _("The application “%(name)s” is created.") % {"name": made.name})
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="New application",
        crumbs=UP,
        form=form,
        submit="Create application",
        back=SECTION,
        status=status_of(form),
        lead="To put a login in front of a web application, “Protect an application” does all steps at once.",
    )


def _preset(request: HttpRequest) -> dict[str, str]:
    provider = request.GET.get("provider", "")
    return {"provider": provider} if provider.isascii() and provider.isdigit() else {}


@require_http_methods(["GET", "POST"])
@administrators
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/applications/<slug>/edit/``"""
    changed = find(slug)
    is_sent = request.method == "POST"
    form = ApplicationForm(request.POST if is_sent else None, request.FILES if is_sent else None, application=changed)
    if form.is_bound and form.is_valid():
        with errors_at(form), transaction.atomic():
            actions.update_application(Actor.of(request), changed, **form.changes())
            pictures.forget_unused()
            return done(request, address(changed), _("Saved, and in force."))
    # A refused change has been written on the object already: name the page after what is stored.
    stored = find(slug)
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("Edit %(name)s") % {"name": stored.name},
        crumbs=[*UP, (stored.name, address(stored))],
        form=form,
        back=address(stored),
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/applications/<slug>/delete/``"""
    going = find(slug)
    provider = going.provider
    form = DeleteApplicationForm(request.POST or None, provider=provider) if provider else None
    if request.method == "POST":
        with transaction.atomic():
            actions.delete_application(Actor.of(request), going)
            pictures.forget_unused()
            if form is not None and form.is_valid() and form.cleaned_data["with_provider"] and provider is not None:
                delete_provider(Actor.of(request), provider)
        return done(request, SECTION, _("“%(name)s” is deleted.") % {"name": going.name})
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": going.name},
        crumbs=[*UP, (going.name, address(going))],
        question=_("Delete the application “%(name)s”?") % {"name": going.name},
        consequences=_consequences(going),
        form=form,
        submit="Delete application",
        back=address(going),
    )


def _consequences(going: Application) -> list[str]:
    bindings, consents = going.bindings.count(), going.consents.count()
    lines = [_("Everybody who is logged in to it is logged out of it at once; nobody can log in to it any more.")]
    if bindings:
        text = ngettext(
            "Its list of who may enter (%(count)d entry) is gone.",
            "Its list of who may enter (%(count)d entries) is gone.",
            bindings,
        )
        lines.append(text % {"count": bindings})
    if consents:
        text = ngettext(
            "What %(count)d user has agreed to is forgotten.",
            "What %(count)d users have agreed to is forgotten.",
            consents,
        )
        lines.append(text % {"count": consents})
    return lines


def find(slug: str) -> Application:
    """Raises Http404."""
    return get_object_or_404(Application.objects.select_related("provider"), slug=slug)


def address(of: Application) -> str:
    """Of its page."""
    return reverse("admin-application", args=[of.slug])
