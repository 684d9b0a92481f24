"""Requests for access: what the user asks for, what they have to decide, and what they have given."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity import durations
from doorward.identity.access_requests import actions, queries
from doorward.identity.access_requests.models import AccessRequest
from doorward.identity.applications.models import Application
from doorward.identity.events.actor import Actor
from doorward.identity.policies.asked import Asked
from doorward.identity.web.forms.access_requests import AskForAccessForm, DecideForm, OfferForm
from doorward.identity.web.pages import applications
from doorward.identity.web.pages.access import administrators, person, signed_in
from doorward.identity.web.pages.answers import done, errors_at, show_admin, show_own, status_of
from doorward.identity.web.pages.recent_login import log_in_again, proved_recently

MOST = 100
"""Of each list; the newest."""
_Status = AccessRequest.Status


@require_GET
@signed_in
def requests(request: HttpRequest) -> HttpResponse:
    """``/if/user/requests/``"""
    user = person(request)
    everything = AccessRequest.objects.select_related("application", "user", "decided_by", "binding")
    theirs = everything.filter(queries.decided_by(user))
    return show_own(
        request,
        "requests.html",
        title=_("Requests for access"),
        to_decide=theirs.filter(status=_Status.PENDING)[:MOST],
        given=theirs.filter(queries.live())[:MOST],
        own=everything.filter(user=user)[:MOST],
        to_ask_for=queries.to_ask_for(user, Asked.by(request)),
        now=timezone.now(),
    )


@require_http_methods(["GET", "POST"])
@signed_in
def ask(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/user/new/request/<slug>/``"""
    application = get_object_or_404(Application, slug=slug, offer__enabled=True)
    offer = queries.offer_of(application)
    if offer is None:
        raise Http404
    form = AskForAccessForm(request.POST if request.method == "POST" else None, longest=durations.parse(offer.longest))
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = actions.ask(
                Actor.of(request), application, person(request), asked=Asked.by(request), **form.cleaned_data
            )
            return done(request, reverse("own-request", args=[made.pk]), _("You have asked. You are told the answer."))
    return show_own(
        request,
        "ask_for_access.html",
        title=_("Ask for access to %(application)s") % {"application": application.name},
        form=form,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@signed_in
def one(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/user/requests/<uuid>/``: for whoever asked, and for whoever decides (S-602)."""
    user, shown = person(request), _find(uuid)
    decides = queries.may_decide(user, shown)
    if shown.user_id != user.pk and not decides:
        raise Http404
    form = DecideForm(request.POST if request.method == "POST" else None, until=shown.until)
    if request.method == "POST":
        if decides and not proved_recently(request):
            return log_in_again(request, request.path)
        if form.is_valid():
            with errors_at(form):
                return done(request, request.path, _do(Actor.of(request), shown, form, request.POST.get("do", "")))
            shown = _find(uuid)
    is_live = AccessRequest.objects.filter(queries.live(), pk=shown.pk).exists()
    return show_own(
        request,
        "request.html",
        title=_("Access to %(application)s") % {"application": shown.application.name},
        asked=shown,
        form=form,
        decides=decides,
        is_own=shown.user_id == user.pk,
        is_pending=shown.status == _Status.PENDING,
        is_live=is_live,
        status=status_of(form),
    )


def _do(actor: Actor, asked: AccessRequest, form: DecideForm, what: str) -> str:
    answer, until = form.cleaned_data["answer"], form.cleaned_data["until"]
    if what == "approve":
        actions.approve(actor, asked, until=until, answer=answer)
        return _("Access is given, and ends by itself.")
    if what == "deny":
        actions.deny(actor, asked, answer=answer)
        return _("The request is refused.")
    if what == "shorten":
        actions.shorten(actor, asked, until=until or asked.until)
        return _("It ends earlier now.")
    if what == "revoke":
        actions.revoke(actor, asked, answer=answer)
        return _("Access has ended.")
    if what == "withdraw":
        actions.withdraw(actor, asked)
        return _("You no longer ask.")
    raise Http404


def _find(uuid: UUID) -> AccessRequest:
    everything = AccessRequest.objects.select_related("application", "user", "decided_by", "binding")
    return get_object_or_404(everything, pk=uuid)


@require_http_methods(["GET", "POST"])
@administrators
def offer(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/applications/<slug>/requests/``: may it be asked for, and who decides."""
    application = applications.find(slug)
    stored = getattr(application, "offer", None)
    form = OfferForm(request.POST if request.method == "POST" else None, offer=stored)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.set_offer(Actor.of(request), application, **form.cleaned_data)
            return done(request, applications.address(application), _("Saved, and in force."))
    return show_admin(
        request,
        "form.html",
        section=applications.SECTION,
        title=_("Access on request: %(name)s") % {"name": application.name},
        crumbs=[*applications.UP, (application.name, applications.address(application))],
        lead="Access that is asked for is given until a date, and ends by itself.",
        form=form,
        back=applications.address(application),
        status=status_of(form),
    )
