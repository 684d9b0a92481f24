"""Protect an application: one form, and then what to do for the proxy in front of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.applications.models import Application
from doorward.identity.events.actor import Actor
from doorward.identity.outposts import actions
from doorward.identity.outposts.models import ProxyProvider
from doorward.identity.web.forms.protect import ProtectForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.setup import setup_of

SECTION = f"{ROOT}protect/"
_OF_THE_APPLICATION = ("group", "meta_description", "meta_launch_url")


@require_http_methods(["GET", "POST"])
@administrators
def protect(request: HttpRequest) -> HttpResponse:
    """``/if/admin/protect/``"""
    form = ProtectForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        values = form.cleaned_data
        with errors_at(form):
            application = actions.protect(
                Actor.of(request),
                name=values["name"],
                slug=values["slug"],
                external_host=values["external_host"],
                groups=values["groups"],
                users=values["users"],
                mode=values["mode"],
                cookie_domain=values["cookie_domain"],
                internal_host=values["internal_host"],
                internal_host_ssl_validation=values["internal_host_ssl_validation"],
                skip_path_regex=values["skip_path_regex"],
                **{field: values[field] for field in _OF_THE_APPLICATION},
            )
            text = _("“%(name)s” is protected from this moment on.") % {"name": application.name}
            return done(request, reverse("admin-protected", args=[application.slug]), text)
    return show_admin(
        request, "protect.html", section=SECTION, title="Protect an application", form=form, status=status_of(form)
    )


@require_GET
@administrators
def protected(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/protect/<slug>/``: it is in force; what its proxy needs."""
    application = get_object_or_404(Application.objects.select_related("provider"), slug=slug)
    provider = get_object_or_404(ProxyProvider, application=application)
    return show_admin(
        request,
        "protected.html",
        section=SECTION,
        title=(_("Set up the host for %(name)s") if _is_served_here(provider) else _("Set up the proxy for %(name)s"))
        % {"name": application.name},
        crumbs=[(_("Applications"), reverse("admin-applications")), (application.name, _detail(application))],
        application=application,
        provider=provider,
        bindings=application.bindings.select_related("user", "group", "policy"),
        setup=None if _is_served_here(provider) else setup_of(request, application, provider),
    )


def _is_served_here(provider: ProxyProvider) -> bool:
    return provider.mode == ProxyProvider.Mode.PROXY


def _detail(application: Application) -> str:
    return reverse("admin-application", args=[application.slug])
