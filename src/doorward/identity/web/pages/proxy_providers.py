"""Create and change a proxy provider on its own; mostly it comes with ``protect``."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.outposts import actions
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.outposts.open_paths import Judged, preview
from doorward.identity.web.forms.proxy_providers import OpenPathsForm, ProxyProviderForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.providers import SECTION, UP, address, find


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/proxy-provider/``"""
    form = ProxyProviderForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = actions.create_proxy_provider(Actor.of(request), **form.cleaned_data)
            text = _("“%(name)s” is created. It serves once an application and an outpost have it.") % {
                "name": made.name
            }
            return done(request, address(made), text)
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="New proxy provider",
        crumbs=UP,
        form=form,
        submit="Create provider",
        back=SECTION,
        status=status_of(form),
        lead="Forward auth for one application or a whole domain. Protect an application does this, and what follows, "
        "at once.",
    )


@require_http_methods(["GET", "POST"])
@administrators
def open_paths(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/proxy-providers/<pk>/paths/``: what its rules open, or what others would."""
    provider = get_object_or_404(ProxyProvider, pk=pk)
    stored = find(pk)
    form = OpenPathsForm(
        request.POST if request.method == "POST" else None,
        initial={"skip_path_regex": provider.skip_path_regex, "step_up_rules": provider.step_up_rules},
    )
    judged: list[Judged] | None = None
    if form.is_bound and form.is_valid():
        with errors_at(form):
            values = form.cleaned_data
            judged = preview(provider, values["paths"].splitlines(), values["skip_path_regex"], values["step_up_rules"])
    return show_admin(
        request,
        "open_paths.html",
        section=SECTION,
        title="What is open",
        crumbs=[*UP, (stored.name, address(stored))],
        form=form,
        provider=provider,
        judged=judged,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """``/if/admin/proxy-providers/<pk>/edit/``"""
    changed = get_object_or_404(ProxyProvider, pk=pk)
    form = ProxyProviderForm(request.POST if request.method == "POST" else None, provider=changed)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.update_proxy_provider(Actor.of(request), changed, **form.cleaned_data)
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
