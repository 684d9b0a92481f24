"""Create and change an OAuth2 provider, look at its secret, replace it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorward.identity.events.actor import Actor
from doorward.identity.oauth2 import actions
from doorward.identity.oauth2.client_secret import rotate_client_secret, view_client_secret
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.web.forms.oauth2_providers import OAuth2ProviderForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.providers import SECTION, UP, address, find, show_provider
from doorward.identity.web.pages.recent_login import log_in_again, proved_recently


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/oauth2-provider/``"""
    form = OAuth2ProviderForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = actions.create_oauth2_provider(Actor.of(request), **form.cleaned_data)
            text = _("“%(name)s” is created. It can be used once an application has it.") % {"name": made.name}
            return done(request, address(made), text)
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="New OAuth2 provider",
        crumbs=UP,
        form=form,
        submit="Create provider",
        back=SECTION,
        status=status_of(form),
        lead="For an application that speaks OpenID Connect itself and needs no proxy in front.",
    )


@require_http_methods(["GET", "POST"])
@administrators
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/oauth2-providers/<pk>/edit/``"""
    changed = find_client(pk)
    form = OAuth2ProviderForm(request.POST if request.method == "POST" else None, provider=changed)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.update_oauth2_provider(Actor.of(request), changed, **form.cleaned_data)
            return done(request, address(changed), _("Saved, and in force."))
    stored = find(pk)
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


@require_POST
@administrators
def show_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/oauth2-providers/<pk>/secret/``: after a recent login only (S-605)."""
    client = find_client(pk)
    if not proved_recently(request):
        return log_in_again(request, address(client))
    return show_provider(request, client, secret=view_client_secret(Actor.of(request), client))


@require_POST
@administrators
def new_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/oauth2-providers/<pk>/secret/new/``"""
    client = find_client(pk)
    if not proved_recently(request):
        return log_in_again(request, address(client))
    return show_provider(request, client, secret=rotate_client_secret(Actor.of(request), client))


def find_client(pk: int) -> OAuth2Provider:
    """Not a proxy provider, whose secret is nobody's business. Raises Http404."""
    return get_object_or_404(OAuth2Provider, pk=pk, kind=OAuth2Provider.KIND)
