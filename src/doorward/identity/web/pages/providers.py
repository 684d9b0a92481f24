"""Providers of every kind: the list, one at a glance, deletion."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.applications.models import Application, Provider
from doorward.identity.events.actor import Actor
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.oauth2.issuer import endpoints_of
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.outposts import actions
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.outposts.step_up import lines_of
from doorward.identity.web.forms.oauth2_providers import line_of
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, show_admin
from doorward.identity.web.pages.listing import page_of, search_text
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.setup import setup_of

SECTION = f"{ROOT}providers/"
UP: list[Crumb] = [(gettext_lazy("Providers"), SECTION)]


@require_GET
@administrators
def providers(request: HttpRequest) -> HttpResponse:
    """``/if/admin/providers/``"""
    query = search_text(request)
    found = Provider.objects.filter(Q(name__icontains=query) | Q(application__name__icontains=query))
    rows = page_of(request, found.select_related("application").prefetch_related("outposts"))
    return show_admin(request, "providers.html", section=SECTION, title="Providers", rows=rows, query=query)


@require_GET
@administrators
def provider(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/providers/<pk>/``"""
    return show_provider(request, find(pk))


def show_provider(request: HttpRequest, shown: Provider, *, secret: str = "") -> HttpResponse:
    """The page of a provider of any kind; ``secret`` is shown on it when somebody has just asked for it."""
    application = application_of(shown)
    context: dict[str, Any] = {"provider": shown, "application": application, "secret": secret}
    if isinstance(shown, OAuth2Provider):
        context["sources"] = shown.jwt_federation_sources.all()
    if isinstance(shown, ProxyProvider):
        context["outposts"] = shown.outposts.all()
        context["step_up_lines"] = lines_of(shown.step_up_rules)
        if application is not None:
            context["setup"] = setup_of(request, application, shown)
    elif isinstance(shown, OAuth2Provider):
        context["redirect_uris"] = [line_of(entry) for entry in shown.redirect_uris]
        context["scopes"] = shown.scope_mappings.all()
        context["trusted"] = shown.exchange_from.all()
        context["pending"] = list(shown.logout_notices.all())
        context["endpoints"] = endpoints_of(shown) if application is not None else None
    template = "proxy_provider.html" if isinstance(shown, ProxyProvider) else "oauth2_provider.html"
    return show_admin(request, template, section=SECTION, title=shown.name, crumbs=UP, **context)


@require_http_methods(["GET", "POST"])
@administrators
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/providers/<pk>/delete/``"""
    going = find(pk)
    if request.method == "POST":
        actions.delete_provider(Actor.of(request), going)
        return done(request, SECTION, _("“%(name)s” is deleted.") % {"name": going.name})
    application = application_of(going)
    lines = [_("Every session and token that was made through it ends at once.")]
    if application is not None:
        lines.append(
            _("The application “%(name)s” stays, but nobody gets into it any more.") % {"name": application.name}
        )
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": going.name},
        crumbs=[*UP, (going.name, address(going))],
        question=_("Delete the provider “%(name)s”?") % {"name": going.name},
        consequences=lines,
        submit="Delete provider",
        back=address(going),
    )


def find(pk: int) -> Provider:
    """As an object of its own kind. Raises Http404."""
    return get_object_or_404(Provider, pk=pk).concrete()


def application_of(provider: Provider) -> Application | None:
    """The one application that it serves."""
    return Application.objects.filter(provider_id=provider.pk).first()


def address(of: Provider) -> str:
    """Of its page."""
    return reverse("admin-provider", args=[of.pk])
