"""Outposts: which applications each serves."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.directory.actions import view_token_key
from doorward.identity.directory.models import Token
from doorward.identity.events.actor import Actor
from doorward.identity.outposts import actions, presence
from doorward.identity.outposts.instances import token_identifier
from doorward.identity.outposts.models import EMBEDDED, Outpost
from doorward.identity.web.forms.outposts import NewOutpostForm, OutpostForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.recent_login import log_in_again, proved_recently

SECTION = f"{ROOT}outposts/"


@require_GET
@administrators
def outposts(request: HttpRequest) -> HttpResponse:
    """``/if/admin/outposts/``"""
    outposts = Outpost.objects.prefetch_related("providers__application", "providers__oauth2provider__proxyprovider")
    rows = [(each, presence.instances(each)) for each in outposts]
    return show_admin(
        request,
        "outposts.html",
        section=SECTION,
        title="Outposts",
        rows=rows,
        embedded=EMBEDDED,
        version=settings.VERSION,
    )


@require_http_methods(["GET", "POST"])
@administrators
def new(request: HttpRequest) -> HttpResponse:
    """``/if/admin/outposts/new/``: the answer to the form shows the outpost's token and how it is started, once.
    After a recent login only (S-605)."""
    if not proved_recently(request):
        return log_in_again(request, f"{SECTION}new/")
    form = NewOutpostForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        actor = Actor.of(request)
        with errors_at(form), transaction.atomic():
            made = actions.create_outpost(actor, name=form.cleaned_data["name"], providers=form.providers)
            key = view_token_key(actor, Token.objects.get(identifier=token_identifier(made)))
            return show_admin(
                request,
                "outpost_made.html",
                section=SECTION,
                title=_("Start %(name)s") % {"name": made.name},
                crumbs=[(_("Outposts"), SECTION)],
                outpost=made,
                key=key,
                external_url=settings.EXTERNAL_URL,
            )
    return show_admin(
        request,
        "new_outpost.html",
        section=SECTION,
        title="New outpost",
        crumbs=[(_("Outposts"), SECTION)],
        lead="For applications on another machine or in another network: a program beside them that decides there.",
        submit="Make it",
        back=SECTION,
        form=form,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def outpost(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/outposts/<uuid>/``: tick the applications that it serves."""
    shown = get_object_or_404(Outpost, pk=uuid)
    form = OutpostForm(request.POST if request.method == "POST" else None, outpost=shown)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.assign(Actor.of(request), shown, form.providers)
            return done(request, SECTION, _("Saved, and in force."))
    return show_admin(
        request,
        "outpost.html",
        section=SECTION,
        title=shown.name,
        crumbs=[(_("Outposts"), SECTION)],
        outpost=shown,
        back=SECTION,
        form=form,
        status=status_of(form),
    )
