"""Stages of every kind: list, create, change, delete."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.api import plain_writes
from doorward.identity.events.actor import Actor
from doorward.identity.flows.actions import bind_stage
from doorward.identity.flows.models import Flow
from doorward.identity.flows.uses import uses_of
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.stages.models import Stage
from doorward.identity.web.forms.stages.registry import does, form_of, kinds
from doorward.identity.web.pages import flows
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.careful import careful
from doorward.identity.web.pages.listing import Choice, page_of, search_text
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}stages/"
UP: list[Crumb] = [(gettext_lazy("Stages"), SECTION)]


@require_GET
@administrators
def stages(request: HttpRequest) -> HttpResponse:
    """``/if/admin/stages/``"""
    query = search_text(request)
    titles = {kind: str(form.title) for kind, form in kinds().items()}
    kind = Choice.read(request, "kind", _("Kind"), {"": _("Of every kind"), **titles})
    found = Stage.objects.filter(name__icontains=query).prefetch_related("flows").order_by("name")
    rows = page_of(request, found.filter(kind=kind.value) if kind.value else found)
    return show_admin(
        request,
        "stages.html",
        section=SECTION,
        title="Stages",
        rows=rows,
        stages=[(stage, does(stage.kind)) for stage in rows],
        query=query,
        filters=[kind],
    )


@require_GET
@administrators
def new(request: HttpRequest) -> HttpResponse:
    """``/if/admin/new/stage/``: of which kind?"""
    return show_admin(
        request,
        "new_stage.html",
        section=SECTION,
        title="New stage",
        crumbs=UP,
        kinds=list(kinds().items()),
        flow=_flow_of(request),
    )


@require_http_methods(["GET", "POST"])
@administrators
@careful
def create(request: HttpRequest, kind: str) -> HttpResponse:
    """``/if/admin/new/stage/<kind>/?flow=…``: the new stage becomes the last of that flow."""
    form_class, flow = form_of(kind), _flow_of(request)
    if form_class is None:
        raise Http404
    form = form_class(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            made = plain_writes.create(Actor.of(request), form.model, form.values)
            if flow is not None:
                bind_stage(Actor.of(request), flow, Stage.objects.get(pk=made.pk))
                return done(
                    request, flows.address(flow), _("“%(made)s” is created, and the last stage now.") % {"made": made}
                )
            return done(
                request,
                address(made),
                _("“%(made)s” is created. Add it to a flow on the flow’s page.") % {"made": made},
            )
    return show_admin(
        request,
        "form.html",
        section=SECTION,
        title=_("New %(title)s stage") % {"title": form.title},
        crumbs=UP,
        form=form,
        submit="Create stage",
        back=flows.address(flow) if flow else SECTION,
        lead=f"{form.does}.",
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
@careful
def stage(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/stages/<uuid>/``"""
    changed = find(uuid)
    form_class = form_of(changed.kind)
    assert form_class is not None
    form = form_class(request.POST if request.method == "POST" else None, stage=changed)
    if form.is_bound and form.is_valid():
        with errors_at(form):
            plain_writes.update(Actor.of(request), changed, form.values)
            return done(request, address(changed), _("Saved, and in force."))
    stored = find(uuid)
    return show_admin(
        request,
        "stage.html",
        section=SECTION,
        title=stored.name,
        crumbs=UP,
        stage=stored,
        form=form,
        uses=uses_of(stored),
        back=SECTION,
        status=status_of(form),
    )


@require_http_methods(["GET", "POST"])
@administrators
@careful
def delete(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/stages/<uuid>/delete/``"""
    going = find(uuid)
    if request.method == "POST":
        name = going.name
        plain_writes.delete(Actor.of(request), going)
        return done(request, SECTION, _("The stage “%(name)s” is deleted.") % {"name": name})
    return show_admin(
        request,
        "confirm.html",
        section=SECTION,
        title=_("Delete %(name)s") % {"name": going.name},
        crumbs=[*UP, (going.name, address(going))],
        question=_("Delete the stage “%(name)s”?") % {"name": going.name},
        consequences=[_("The %(use)s goes on without it.") % {"use": use} for use in uses_of(going)]
        or [_("Nothing uses it.")],
        submit="Delete stage",
        back=address(going),
    )


def find(uuid: UUID) -> Stage:
    """As an object of its own kind. Raises Http404."""
    return get_object_or_404(Stage, pk=uuid).concrete()


def address(of: Stage) -> str:
    """Of its page."""
    return reverse("admin-stage", args=[of.pk])


def _flow_of(request: HttpRequest) -> Flow | None:
    return Flow.objects.filter(slug=request.GET.get("flow", "")[:50].replace("\0", "")).first()
