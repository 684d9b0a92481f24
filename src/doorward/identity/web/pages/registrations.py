"""Tokens with which programs register themselves as clients, and what was registered."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.oauth2.models import RegisteredClient, RegistrationToken
from doorward.identity.oauth2.registration_tokens import create_registration_token, delete_registration_token
from doorward.identity.web.forms.registrations import RegistrationTokenForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.listing import page_of, search_text
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}registrations/"
UP: list[Crumb] = [(gettext_lazy("Registrations"), SECTION)]


@require_GET
@administrators
def registrations(request: HttpRequest) -> HttpResponse:
    """``/if/admin/registrations/``"""
    query = search_text(request)
    tokens = RegistrationToken.objects.filter(name__icontains=query).select_related("group")
    rows = page_of(request, tokens)
    clients = RegisteredClient.objects.select_related("provider", "by").order_by("-created")[:50]
    return show_admin(
        request,
        "registrations.html",
        section=SECTION,
        title="Registrations",
        rows=rows,
        query=query,
        clients=clients,
    )


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/registration/``: the answer to the form shows the key, and nothing ever does again (S-608)."""
    form = RegistrationTokenForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            token, key = create_registration_token(Actor.of(request), **form.fields_of_token)
            return show_admin(
                request, "registration.html", section=SECTION, title=token.name, crumbs=UP, token=token, key=key
            )
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="New registration token",
        crumbs=UP,
        form=form,
        submit="Create token",
        back=SECTION,
        status=status_of(form),
        lead="Whoever has it can register an application by a request (RFC 7591), within what you lay down here.",
    )


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/registrations/<uuid>/delete/``"""
    token = get_object_or_404(RegistrationToken, pk=uuid)
    if request.method == "POST":
        delete_registration_token(Actor.of(request), token)
        return done(request, SECTION, _("The registration token “%(token)s” is deleted.") % {"token": token})
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(token)s") % {"token": token},
        crumbs=UP,
        question=_("Delete the registration token “%(token)s”?") % {"token": token},
        consequences=[_("Nobody registers with it any more. What was registered stays, but cannot change itself.")],
        submit="Delete",
        back=SECTION,
    )
