"""Entitlements: rights inside an application. Make, rename and delete them, and say who has them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorward.identity.applications import entitlements
from doorward.identity.applications.models import Entitlement
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.policies.actions import bind, unbind
from doorward.identity.web.forms.entitlements import EntitlementForm, HolderForm
from doorward.identity.web.pages import applications
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.needs import may_see
from doorward.identity.web.pages.suggestions import usernames


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/applications/<slug>/entitlements/``"""
    application = applications.find(slug)
    form = EntitlementForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = entitlements.create_entitlement(Actor.of(request), application, **form.cleaned_data)
            return done(request, address(made), _("“%(name)s” is there; nobody has it yet.") % {"name": made})
    return show_admin(
        request,
        "form.html",
        section=applications.SECTION,
        title=_("New entitlement"),
        crumbs=[*applications.UP, (application.name, applications.address(application))],
        form=form,
        submit=_("Create entitlement"),
        back=applications.address(application),
        lead=_("A right inside the application, which it is told by name. Who has it is said on the next page."),
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def entitlement(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """``/if/admin/applications/<slug>/entitlements/<uuid>/``: what it is called, and who has it."""
    changed = _find(slug, uuid)
    form = EntitlementForm(request.POST if request.method == "POST" else None, initial={"name": changed.name})
    if form.is_bound and form.is_valid():
        with errors_at(form):
            entitlements.update_entitlement(Actor.of(request), changed, **form.cleaned_data)
            return done(request, address(changed), _("Saved, and in force."))
    return _show(request, _find(slug, uuid), form, HolderForm())


@require_POST
@administrators
def add_holder(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """``/if/admin/applications/<slug>/entitlements/<uuid>/holders/``"""
    given, form = _find(slug, uuid), HolderForm(request.POST)
    if form.is_valid():
        last = given.bindings.aggregate(last=Max("order"))["last"]
        with errors_at(form):
            bind(Actor.of(request), given, order=0 if last is None else last + 1, **form.cleaned_data)
            return done(request, address(given), _("Saved, and in force."))
    return _show(request, given, EntitlementForm(initial={"name": given.name}), form)


@require_POST
@administrators
def remove_holder(request: HttpRequest, slug: str, uuid: UUID, binding: UUID) -> HttpResponse:
    """``/if/admin/applications/<slug>/entitlements/<uuid>/holders/<binding>/remove/``"""
    taken = _find(slug, uuid)
    unbind(Actor.of(request), get_object_or_404(taken.bindings.select_related("user", "group", "policy"), pk=binding))
    return done(request, address(taken), _("Saved, and in force."))


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """``/if/admin/applications/<slug>/entitlements/<uuid>/delete/``"""
    going = _find(slug, uuid)
    up = applications.address(going.app)
    if request.method == "POST":
        entitlements.delete_entitlement(Actor.of(request), going)
        return done(request, up, _("“%(name)s” is deleted.") % {"name": going.name})
    return show_admin(
        request,
        "confirm.html",
        section=applications.SECTION,
        title=_("Delete %(name)s") % {"name": going.name},
        crumbs=[*_crumbs(going), (going.name, address(going))],
        question=_("Delete the entitlement “%(name)s”?") % {"name": going.name},
        consequences=[_("Whoever has it has it no longer, and logs in to the application anew without noticing.")],
        submit=_("Delete entitlement"),
        back=address(going),
    )


def _show(request: HttpRequest, shown: Entitlement, form: EntitlementForm, holder: HolderForm) -> HttpResponse:
    return show_admin(
        request,
        "entitlement.html",
        section=applications.SECTION,
        title=shown.name,
        crumbs=_crumbs(shown),
        application=shown.app,
        entitlement=shown,
        bindings=shown.bindings.select_related("user", "group"),
        form=form,
        holder=holder,
        now=timezone.now(),
        usernames=usernames() if may_see(request, User) else [],
        status=max(status_of(form), status_of(holder)),
    )


def _crumbs(of: Entitlement) -> list[Crumb]:
    return [*applications.UP, (of.app.name, applications.address(of.app))]


def _find(slug: str, uuid: UUID) -> Entitlement:
    """Raises Http404."""
    return get_object_or_404(Entitlement.objects.select_related("app"), pk=uuid, app__slug=slug)


def address(of: Entitlement) -> str:
    """Of its page."""
    return reverse("admin-entitlement", args=[of.app.slug, of.pk])
