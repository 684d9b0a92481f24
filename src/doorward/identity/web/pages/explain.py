"""Why was this refused, why does somebody get in, what does an application receive: pages for administrators."""

from __future__ import annotations

from datetime import UTC, datetime

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.applications.models import Application
from doorward.identity.explain import data_plane, decisions
from doorward.identity.explain.access import access_now
from doorward.identity.explain.headers import NotProxied, contract, provider_of
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.web.forms.applications import CheckForm
from doorward.identity.web.forms.fields import PersonField
from doorward.identity.web.pages.access import administrators, person
from doorward.identity.web.pages.answers import show_admin
from doorward.identity.web.pages.applications import SECTION as APPLICATIONS
from doorward.identity.web.pages.applications import address, find
from doorward.identity.web.pages.listing import Choice, search_text
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.suggestions import usernames
from doorward.messages.decisions import FAULT, REASONS, Decision, DecisionsFound, FindDecisions, Finding, ProbesFound

SECTION = f"{ROOT}explain/"
MOST = 100
"""Decisions on the page."""
_REASONS = {"": gettext_lazy("Every reason"), **{key: key.replace("_", " ").capitalize() for key in REASONS}}


class WhyInForm(forms.Form):
    """Why does this user get into this application?"""

    application = forms.ModelChoiceField(
        Application.objects.order_by("name"), to_field_name="slug", empty_label=gettext_lazy("Choose an application")
    )
    user = PersonField(label="User")


@require_GET
@administrators
def explain(request: HttpRequest) -> HttpResponse:
    """``/if/admin/explain/``: the newest refusals, narrowed by ``?q=`` (id, host, client or application) and
    ``?reason=``; with ``?application=`` and ``?user=`` also why that user gets in."""
    query, reason = search_text(request), Choice.read(request, "reason", _("Reason"), _REASONS)
    found, problem = DecisionsFound(), ""
    try:
        found = data_plane.find(FindDecisions(reason=reason.value, limit=500))
    except data_plane.Unavailable as unavailable:
        problem = str(unavailable)
    probes = data_plane.probes() if not problem else ProbesFound()
    shown = [decision for decision in found.decisions if not query or _speaks_of(query, decision)]
    why_in = WhyInForm(request.GET if "user" in request.GET else None)
    access = None
    if why_in.is_bound and why_in.is_valid():
        access = access_now(why_in.cleaned_data["application"], why_in.cleaned_data["user"])
    return show_admin(
        request,
        "explain.html",
        section=SECTION,
        title="Explain",
        rows=[(decision, _moment(decision.at), REASONS[decision.reason].what) for decision in shown[:MOST]],
        kept=found.kept,
        since=_moment(found.since) if found.since else None,
        query=query,
        filters=[reason],
        problem=problem,
        probe_interval=round(probes.interval),
        probed=[(seen, _moment(seen.at) if seen.at else None) for seen in probes.probed],
        why_in=why_in,
        access=access,
        usernames=usernames(),
    )


def _speaks_of(query: str, decision: Decision) -> bool:
    texts = (decision.host, decision.client, decision.application, decision.path, decision.user)
    wanted = query.lower()
    return decision.id.lower().startswith(wanted) or any(wanted in text.lower() for text in texts)


@require_GET
@administrators
def decision(request: HttpRequest, request_id: str) -> HttpResponse:
    """``/if/admin/explain/<id>/``"""
    problem = ""
    try:
        found = decisions.explained(request_id)
    except data_plane.Unavailable as unavailable:
        found, problem = [], str(unavailable)
    return show_admin(
        request,
        "decision.html",
        section=SECTION,
        title="Why" if found else "Nothing is known",
        crumbs=[(_("Explain"), SECTION)],
        request_id=request_id,
        found=[(each, _moment(each.decision.at)) for each in found],
        problem=problem,
    )


@require_http_methods(["GET", "POST"])
@administrators
def headers(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/applications/<slug>/headers/``; with ``?check=`` for that user. A POST also tries forged fields."""
    shown = find(slug)
    check = CheckForm(request.GET if "check" in request.GET else None)
    user = check.cleaned_data["check"] if check.is_bound and check.is_valid() else person(request)
    found, problem = None, ""
    try:
        found = contract(shown, user, spoof=request.method == "POST")
    except NotProxied as error:
        problem = str(error)
    return show_admin(
        request,
        "headers.html",
        section=APPLICATIONS,
        title=_("What %(name)s receives") % {"name": shown.name},
        crumbs=[(_("Applications"), APPLICATIONS), (shown.name, address(shown))],
        application=shown,
        contract=found,
        problem=problem or (found.problem if found is not None else ""),
        check=check,
        shown_user=user,
        usernames=usernames(),
    )


@require_http_methods(["GET", "POST"])
@administrators
def examine(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/applications/<slug>/examine/``: the doctor, sent by a POST."""
    shown = find(slug)
    findings: tuple[Finding, ...] = ()
    problem = ""
    try:
        provider = provider_of(shown)
        if request.method == "POST":
            findings = data_plane.examine(provider.pk).findings
    except (NotProxied, data_plane.Unavailable) as error:
        problem = str(error)
    return show_admin(
        request,
        "examine.html",
        section=APPLICATIONS,
        title=_("The way to %(name)s") % {"name": shown.name},
        crumbs=[(_("Applications"), APPLICATIONS), (shown.name, address(shown))],
        application=shown,
        findings=findings,
        faults=sum(finding.verdict == FAULT for finding in findings),
        problem=problem,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
