"""Flows: what happens at a login, a consent, a log-out. List, one with its course, create, change, delete."""

from __future__ import annotations

from django import forms
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.api import plain_writes
from doorward.identity.brands.queries import default_flow
from doorward.identity.events.actor import Actor
from doorward.identity.flows.actions import set_compatibility_mode
from doorward.identity.flows.models import Flow
from doorward.identity.flows.uses import PLACE, uses_of
from doorward.identity.flows.way_in import obstacle
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.web.forms.applications import BindingForm
from doorward.identity.web.forms.flows import PURPOSES, WHEN_REFUSED, WHO, FlowForm
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.careful import careful
from doorward.identity.web.pages.flow_course import course_of
from doorward.identity.web.pages.listing import Choice, search_text
from doorward.identity.web.pages.navigation import ROOT
from doorward.identity.web.pages.suggestions import usernames

SECTION = f"{ROOT}flows/"
UP: list[Crumb] = [(gettext_lazy("Flows"), SECTION)]


class BehaviorForm(forms.Form):
    compatibility_mode = forms.BooleanField(
        label="Compatibility mode", required=False, help_text=Flow._meta.get_field("compatibility_mode").help_text
    )


@require_GET
@administrators
def flows(request: HttpRequest) -> HttpResponse:
    """``/if/admin/flows/``"""
    query = search_text(request)
    purposes = {str(kind): str(words) for kind, words in PURPOSES.items()}
    purpose = Choice.read(request, "for", _("What it is for"), {"": _("For everything"), **purposes})
    found = Flow.objects.prefetch_related("stage_bindings").filter(slug__icontains=query) | (
        Flow.objects.prefetch_related("stage_bindings").filter(name__icontains=query)
    )
    if purpose.value:
        found = found.filter(designation=purpose.value)
    groups = [(words, [flow for flow in found if flow.designation == kind]) for kind, words in PURPOSES.items()]
    return show_admin(
        request,
        "flows.html",
        section=SECTION,
        title="Flows",
        groups=[(words, rows) for words, rows in groups if rows],
        query=query,
        filters=[purpose],
    )


@require_http_methods(["GET", "POST"])
@administrators
def flow(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/flows/<slug>/``"""
    shown = find(slug)
    form = BehaviorForm(
        request.POST if request.method == "POST" else None, initial={"compatibility_mode": shown.compatibility_mode}
    )
    if form.is_bound and form.is_valid():
        set_compatibility_mode(Actor.of(request), shown, form.cleaned_data["compatibility_mode"])
        return done(request, request.path, _("Saved."))
    return show_flow(request, shown, form=form)


def show_flow(
    request: HttpRequest, shown: Flow, *, form: BehaviorForm | None = None, binding_form: BindingForm | None = None
) -> HttpResponse:
    """The page of a flow, with a form for whom it is open to that was sent already, where there is one."""
    binding_form = binding_form or BindingForm()
    is_way_in = default_flow(Flow.Designation.AUTHENTICATION) == shown
    return show_admin(
        request,
        "flow.html",
        section=SECTION,
        title=shown.slug,
        crumbs=UP,
        flow=shown,
        purpose=PURPOSES.get(Flow.Designation(shown.designation)),
        who=str(WHO.get(Flow.Authentication(shown.authentication), "")),
        when_refused=WHEN_REFUSED.get(Flow.DeniedAction(shown.denied_action)),
        course=course_of(shown),
        bindings=shown.bindings.select_related("group", "user", "policy"),
        uses=[use for use in uses_of(shown) if use.kind != PLACE],
        obstacle=obstacle() if is_way_in else "",
        form=form or BehaviorForm(initial={"compatibility_mode": shown.compatibility_mode}),
        binding_form=binding_form,
        usernames=usernames(),
        status=status_of(binding_form),
    )


@require_http_methods(["GET", "POST"])
@administrators
def create(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/flow/``"""
    form = FlowForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = plain_writes.create(Actor.of(request), Flow, form.cleaned_data)
            return done(request, address(made), _("“%(slug)s” is created. Add its stages below.") % {"slug": made.slug})
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title="New flow",
        crumbs=UP,
        form=form,
        submit="Create flow",
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
@careful
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/flows/<slug>/edit/``"""
    changed = find(slug)
    form = FlowForm(request.POST if request.method == "POST" else None, flow=changed)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            plain_writes.update(Actor.of(request), changed, form.cleaned_data)
            return done(request, address(changed), _("Saved, and in force."))
    stored = find(slug)
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("Edit %(slug)s") % {"slug": stored.slug},
        crumbs=[*UP, (stored.slug, address(stored))],
        form=form,
        back=address(stored),
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
@careful
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/flows/<slug>/delete/``; 409 while a provider has it."""
    going, problem = find(slug), ""
    if request.method == "POST":
        try:
            plain_writes.delete(Actor.of(request), going)
            return done(request, SECTION, _("The flow “%(slug)s” is deleted.") % {"slug": slug})
        except ProtectedError:
            going, problem = find(slug), _("It is still in use. Give these providers another flow first.")
    uses = uses_of(going)
    lines = [_("The %(use)s uses it, and must have one.") % {"use": use} for use in uses if use.holds]
    lines += [_("The %(use)s goes with it.") % {"use": use} for use in uses if use.goes and use.kind != PLACE]
    lines += [_("The %(use)s goes on without it.") % {"use": use} for use in uses if not use.goes and not use.holds]
    lines.append(_("Its stages stay, and can be put into other flows."))
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(slug)s") % {"slug": slug},
        crumbs=[*UP, (slug, address(going))],
        question=_("Delete the flow “%(slug)s”?") % {"slug": slug},
        consequences=lines,
        submit="Delete flow",
        back=address(going),
        problem=problem,
        status=409 if problem else 200,
    )


def find(slug: str) -> Flow:
    """Raises Http404."""
    return get_object_or_404(Flow, slug=slug)


def address(of: Flow) -> str:
    """Of its page."""
    return reverse("admin-flow", args=[of.slug])
