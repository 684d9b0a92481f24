"""The settings of the installation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.system import actions
from doorward.identity.system.models import SystemSettings
from doorward.identity.web.forms.system import SystemForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, errors_at, show_admin, status_of
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}settings/"


@require_http_methods(["GET", "POST"])
@administrators
def settings(request: HttpRequest) -> HttpResponse:
    """``/if/admin/settings/``"""
    stored = SystemSettings.objects.filter(pk=1).first() or SystemSettings()
    form = SystemForm(request.POST if request.method == "POST" else None, settings=stored)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            actions.update(Actor.of(request), **form.cleaned_data)
            return done(request, SECTION, _("Saved, and in force."))
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("Settings"),
        form=form,
        submit=_("Save"),
        status=status_of(form),
    )
