"""For whom a flow is, or one stage of it: groups, users and policies bound to it."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorward.identity.events.actor import Actor
from doorward.identity.policies.actions import bind, unbind
from doorward.identity.policies.models import PolicyTarget
from doorward.identity.web.forms.applications import BindingForm
from doorward.identity.web.pages import flow_stages, flows
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin
from doorward.identity.web.pages.careful import careful


@require_POST
@administrators
@careful
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/flows/<slug>/access/``"""
    flow, form = flows.find(slug), BindingForm(request.POST)
    if form.is_valid() and bound(request, flow, form):
        return done(request, flows.address(flow), _("Saved, and in force."))
    return flows.show_flow(request, flow, binding_form=form)


@require_http_methods(["GET", "POST"])
@administrators
@careful
def remove(request: HttpRequest, slug: str, binding: UUID) -> HttpResponse:
    """``/if/admin/flows/<slug>/access/<binding>/remove/``"""
    flow = flows.find(slug)
    crumbs: list[Crumb] = [*flows.UP, (flow.slug, flows.address(flow))]
    return removed(request, flow, binding, what=_("the flow “%(slug)s”") % {"slug": flow.slug}, crumbs=crumbs)


@require_POST
@administrators
@careful
def add_to_stage(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """``/if/admin/flows/<slug>/stages/<uuid>/access/``"""
    flow, place = flow_stages.find(slug, uuid)
    form = BindingForm(request.POST)
    if form.is_valid() and bound(request, place, form):
        return done(request, flow_stages.address(place), _("Saved, and in force."))
    return flow_stages.show_place(request, flow, place, binding_form=form)


@require_http_methods(["GET", "POST"])
@administrators
@careful
def remove_from_stage(request: HttpRequest, slug: str, uuid: UUID, binding: UUID) -> HttpResponse:
    """``/if/admin/flows/<slug>/stages/<uuid>/access/<binding>/remove/``"""
    flow, place = flow_stages.find(slug, uuid)
    crumbs: list[Crumb] = [
        *flows.UP,
        (flow.slug, flows.address(flow)),
        (place.stage.name, flow_stages.address(place)),
    ]
    return removed(request, place, binding, what=_("the stage “%(stage)s”") % {"stage": place.stage}, crumbs=crumbs)


def bound(request: HttpRequest, target: PolicyTarget, form: BindingForm) -> bool:
    """Whether it could be bound; the form then says why not."""
    last = target.bindings.aggregate(last=Max("order"))["last"]
    with errors_at(form):
        bind(Actor.of(request), target, order=0 if last is None else last + 1, **form.cleaned_data)
        return True
    return False


def removed(
    request: HttpRequest,
    target: PolicyTarget,
    key: UUID,
    *,
    what: str,
    crumbs: list[Crumb],
    section: str = flows.SECTION,
) -> HttpResponse:
    """Asks first; the last of ``crumbs`` is the page of ``what``."""
    binding = get_object_or_404(target.bindings.select_related("user", "group", "policy"), pk=key)
    back = crumbs[-1][1]
    if request.method == "POST":
        unbind(Actor.of(request), binding)
        return done(request, back, _("Saved, and in force."))
    is_last = not target.bindings.filter(enabled=True).exclude(pk=binding.pk).exists()
    return show_admin(
        request,
        "confirm.html",
        section=section,
        title=_("Remove %(subject)s") % {"subject": binding.subject},
        crumbs=crumbs,
        question=_("Remove “%(subject)s” from whom %(what)s is for?") % {"subject": binding.subject, "what": what},
        consequences=[_("It is the last entry: without it, it is for everybody.")] if is_last else [],
        submit="Remove",
        back=back,
    )
