"""Outposts: which applications each serves."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.outposts import actions
from doorward.identity.outposts.models import EMBEDDED, Outpost
from doorward.identity.web.forms.outposts import OutpostForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}outposts/"


@require_GET
@administrators
def outposts(request: HttpRequest) -> HttpResponse:
    """``/if/admin/outposts/``"""
    rows = Outpost.objects.prefetch_related("providers__application", "providers__oauth2provider__proxyprovider")
    return show_admin(request, "outposts.html", section=SECTION, title="Outposts", rows=rows, embedded=EMBEDDED)


@require_http_methods(["GET", "POST"])
@administrators
def outpost(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/outposts/<uuid>/``: tick the applications that it serves."""
    shown = get_object_or_404(Outpost, pk=uuid)
    form = OutpostForm(request.POST if request.method == "POST" else None, outpost=shown)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.assign(Actor.of(request), shown, form.providers)
            return done(request, SECTION, "Saved, and in force.")
    return show_admin(
        request,
        "outpost.html",
        section=SECTION,
        title=shown.name,
        crumbs=[("Outposts", SECTION)],
        outpost=shown,
        back=SECTION,
        form=form,
        status=status_of(form),
    )
