"""Flows: what happens at a login, a consent, a log-out; to look at, with one switch."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.events.actor import Actor
from doorward.identity.flows.actions import set_compatibility_mode
from doorward.identity.flows.models import Flow
from doorward.identity.stages.models import Stage
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import done, show_admin
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}flows/"
STAGES = {
    "identification": "Asks who it is",
    "password": "Asks for the password",
    "userlogin": "Logs in",
    "userlogout": "Logs out",
    "consent": "Asks whether the application may know",
    "authenticatorvalidate": "Asks for a second factor",
    "authenticatortotp": "Sets up an authenticator app",
    "authenticatorstatic": "Gives recovery codes",
    "authenticatorwebauthn": "Sets up a passkey",
    "email": "Sends a link that leads back",
    "prompt": "Asks for anything",
    "userwrite": "Writes what was answered to the user",
    "userdelete": "Deletes the account, after asking",
    "invitation": "Lets through who was invited",
    "deny": "Lets nobody through",
    "dummy": "Shows a button",
    "redirect": "Goes on elsewhere",
}
"""What each kind does, in words."""
WHO = {
    Flow.Authentication.NONE: "Everybody",
    Flow.Authentication.REQUIRE_AUTHENTICATED: "Whoever is logged in",
    Flow.Authentication.REQUIRE_UNAUTHENTICATED: "Whoever is not logged in",
    Flow.Authentication.REQUIRE_SUPERUSER: "Administrators",
    Flow.Authentication.REQUIRE_REDIRECT: "Whoever comes from another flow",
    Flow.Authentication.REQUIRE_OUTPOST: "Outposts",
}
WHEN_REFUSED = {
    Flow.DeniedAction.MESSAGE_CONTINUE: "On to where one was going, or a page that says so",
    Flow.DeniedAction.MESSAGE: "A page that says so",
    Flow.DeniedAction.CONTINUE: "On to where one was going",
}


class BehaviorForm(forms.Form):
    compatibility_mode = forms.BooleanField(
        label="Compatibility mode", required=False, help_text=Flow._meta.get_field("compatibility_mode").help_text
    )


@require_GET
@administrators
def flows(request: HttpRequest) -> HttpResponse:
    """``/if/admin/flows/``"""
    rows = Flow.objects.prefetch_related("stage_bindings__stage")
    return show_admin(request, "flows.html", section=SECTION, title="Flows", rows=rows)


@require_http_methods(["GET", "POST"])
@administrators
def flow(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/flows/<slug>/``"""
    shown = get_object_or_404(Flow, slug=slug)
    form = BehaviorForm(
        request.POST if request.method == "POST" else None, initial={"compatibility_mode": shown.compatibility_mode}
    )
    if form.is_bound and form.is_valid():
        set_compatibility_mode(Actor.of(request), shown, form.cleaned_data["compatibility_mode"])
        return done(request, request.path, "Saved.")
    return show_admin(
        request,
        "flow.html",
        section=SECTION,
        title=shown.slug,
        crumbs=[("Flows", SECTION)],
        flow=shown,
        who=WHO.get(Flow.Authentication(shown.authentication)),
        when_refused=WHEN_REFUSED.get(Flow.DeniedAction(shown.denied_action)),
        stages=[(binding, _in_words(binding.stage)) for binding in shown.stage_bindings.select_related("stage")],
        form=form,
    )


def _in_words(stage: Stage) -> str:
    return STAGES.get(stage.kind, stage.kind)
