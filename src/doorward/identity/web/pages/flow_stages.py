"""Stages in a flow: put one in, move it, change how it stands there, take it out."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorward.identity.api import plain_writes
from doorward.identity.events.actor import Actor
from doorward.identity.flows.actions import bind_stage, move_stage
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.web.forms.applications import BindingForm
from doorward.identity.web.forms.flows import MoveForm, NewPlaceForm, PlaceForm
from doorward.identity.web.forms.stages.registry import does
from doorward.identity.web.pages import flows
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.careful import careful
from doorward.identity.web.pages.flow_course import station
from doorward.identity.web.pages.suggestions import usernames


@require_http_methods(["GET", "POST"])
@administrators
@careful
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/flows/<slug>/stages/new/``"""
    flow = flows.find(slug)
    form = NewPlaceForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            stage = form.cleaned_data["stage"]
            bind_stage(Actor.of(request), flow, **form.cleaned_data)
            return done(request, flows.address(flow), _("“%(stage)s” is the last stage now.") % {"stage": stage})
    return show_admin(
        request,
        "new_place.html",
        section=flows.SECTION,
        title="Add a stage",
        crumbs=_up(flow),
        form=form,
        flow=flow,
        submit="Add it",
        back=flows.address(flow),
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
@careful
def edit(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """``/if/admin/flows/<slug>/stages/<uuid>/``"""
    flow, binding = find(slug, uuid)
    form = PlaceForm(request.POST if request.method == "POST" else None, binding=binding)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            plain_writes.update(Actor.of(request), binding, form.cleaned_data)
            return done(request, flows.address(flow), _("Saved, and in force."))
    return show_place(request, flow, find(slug, uuid)[1], form=form)


def show_place(
    request: HttpRequest,
    flow: Flow,
    binding: FlowStageBinding,
    *,
    form: PlaceForm | None = None,
    binding_form: BindingForm | None = None,
) -> HttpResponse:
    """The page of a stage's place in a flow."""
    form, binding_form = form or PlaceForm(binding=binding), binding_form or BindingForm()
    return show_admin(
        request,
        "place.html",
        section=flows.SECTION,
        title=binding.stage.name,
        crumbs=_up(flow),
        flow=flow,
        binding=binding,
        station=station(binding),
        bindings=binding.bindings.select_related("group", "user", "policy"),
        form=form,
        binding_form=binding_form,
        usernames=usernames(),
        back=flows.address(flow),
        status=max(status_of(form), status_of(binding_form)),
    )


@require_POST
@administrators
@careful
def move(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """``/if/admin/flows/<slug>/stages/<uuid>/move/``"""
    flow, binding = find(slug, uuid)
    form = MoveForm(request.POST)
    by = form.cleaned_data["by"] if form.is_valid() else 0
    moved = by != 0 and move_stage(Actor.of(request), binding, by=by)
    if not moved:
        text = _("“%(stage)s” stays where it is.")
    else:
        text = _("“%(stage)s” has moved up.") if by < 0 else _("“%(stage)s” has moved down.")
    place = f"{flows.address(flow)}#place-{binding.uuid}"
    return done(request, place, text % {"stage": binding.stage}, "good" if moved else "warn")


@require_http_methods(["GET", "POST"])
@administrators
@careful
def remove(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """``/if/admin/flows/<slug>/stages/<uuid>/remove/``"""
    flow, binding = find(slug, uuid)
    if request.method == "POST":
        plain_writes.delete(Actor.of(request), binding)
        return done(
            request, flows.address(flow), _("“%(stage)s” is no longer part of the flow.") % {"stage": binding.stage}
        )
    return show_admin(
        request,
        "confirm.html",
        section=flows.SECTION,
        title=_("Take out %(stage)s") % {"stage": binding.stage},
        crumbs=_up(flow),
        question=_("Take “%(stage)s” out of the flow “%(slug)s”?") % {"stage": binding.stage, "slug": flow.slug},
        consequences=[
            _("What it does there (%(does)s) no longer happens.") % {"does": does(binding.stage.kind)},
            _("Whoever is at it at this moment starts again."),
            _("The stage itself stays, with its settings."),
        ],
        submit="Take it out",
        back=flows.address(flow),
    )


def find(slug: str, uuid: UUID) -> tuple[Flow, FlowStageBinding]:
    """Raises Http404."""
    flow = flows.find(slug)
    return flow, get_object_or_404(flow.stage_bindings.select_related("stage"), uuid=uuid)


def address(of: FlowStageBinding) -> str:
    """Of its page."""
    return reverse("admin-flow-stage", args=[of.flow.slug, of.uuid])


def _up(flow: Flow) -> list[Crumb]:
    return [*flows.UP, (flow.slug, flows.address(flow))]
