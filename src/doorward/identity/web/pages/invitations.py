"""Invitations: list, create with a link to hand over or to send, take back."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.mail import outbox
from doorward.identity.stages.invitations import invite, link_of, take_back
from doorward.identity.stages.models import Invitation
from doorward.identity.web.forms.invitations import InvitationForm
from doorward.identity.web.pages.access import administrators, person
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.listing import page_of, search_text
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}invitations/"
UP: list[Crumb] = [(gettext_lazy("Invitations"), SECTION)]


@require_GET
@administrators
def invitations(request: HttpRequest) -> HttpResponse:
    """``/if/admin/invitations/``"""
    query = search_text(request)
    found = Invitation.objects.filter(name__icontains=query).select_related("flow", "created_by")
    rows = page_of(request, found)
    links = [(invitation, link_of(invitation)) for invitation in rows]
    return show_admin(
        request, "invitations.html", section=SECTION, title="Invitations", rows=rows, links=links, query=query
    )


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/invitation/``"""
    form = InvitationForm(request.POST if request.method == "POST" else None, can_send=outbox.is_configured())
    if form.is_bound and form.is_valid():
        with errors_at(form):
            return done(request, SECTION, _invited(request, form))
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="Invite somebody",
        crumbs=UP,
        form=form,
        submit="Invite",
        back=SECTION,
        status=status_of(form),
        lead="They open a link and make an account of their own.",
    )


def _invited(request: HttpRequest, form: InvitationForm) -> str:
    """Make the invitation; says what has happened. Raises ValidationError."""
    fields = {name: form.cleaned_data[name] for name in ("name", "single_use", "flow")}
    more = {"expires": form.expires, "fixed_data": form.fixed_data, "created_by": person(request)}
    invitation = invite(Actor.of(request), **fields, **more)
    if not form.cleaned_data.get("send"):
        return _("The invitation is made. Its link stands below.")
    context: dict[str, object] = {"url": link_of(invitation), "expires": invitation.expires}
    address = form.cleaned_data["email"]
    outbox.post(address, _("You are invited"), "invitation", context, useless_after=invitation.expires)
    return _("The invitation is on its way to %(address)s.") % {"address": address}


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/invitations/<uuid>/delete/``"""
    invitation = get_object_or_404(Invitation, pk=uuid)
    if request.method == "POST":
        take_back(Actor.of(request), invitation)
        return done(request, SECTION, _("The invitation “%(invitation)s” is taken back.") % {"invitation": invitation})
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Take back %(invitation)s") % {"invitation": invitation},
        crumbs=UP,
        question=_("Take the invitation “%(invitation)s” back?") % {"invitation": invitation},
        consequences=[_("Its link opens nothing any more. Accounts that were made with it stay.")],
        submit="Take back",
        back=SECTION,
    )
