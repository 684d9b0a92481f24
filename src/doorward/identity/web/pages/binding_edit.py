"""Change one binding where it stands: of an application, a flow, a stage in a flow, a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.policies.actions import update_binding
from doorward.identity.policies.models import PolicyBinding, PolicyTarget
from doorward.identity.reach.changes import BindingChanged, warnings
from doorward.identity.web.forms.bindings import BindingEditForm
from doorward.identity.web.pages import applications, flow_stages, flows, sources
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done, errors_at, show_admin, status_of
from doorward.identity.web.pages.careful import careful
from doorward.identity.web.pages.needs import may_see
from doorward.identity.web.pages.suggestions import usernames


@dataclass(frozen=True, slots=True)
class _Place:
    """What the binding belongs to; the last of ``crumbs`` is its page."""

    target: PolicyTarget
    section: str
    crumbs: list[Crumb]
    foretold: Callable[[PolicyBinding, BindingEditForm], list[str]] | None = None
    """Who gains and who loses by it; None where that is not known."""


@require_http_methods(["GET", "POST"])
@administrators
def of_application(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """``/if/admin/applications/<slug>/bindings/<uuid>/``"""
    application = applications.find(slug)

    def foretold(binding: PolicyBinding, form: BindingEditForm) -> list[str]:
        return warnings(BindingChanged(binding, form.cleaned_data), named=may_see(request, User))

    crumbs: list[Crumb] = [*applications.UP, (application.name, applications.address(application))]
    return _edit(request, _Place(application, applications.SECTION, crumbs, foretold), uuid)


@require_http_methods(["GET", "POST"])
@administrators
@careful
def of_flow(request: HttpRequest, slug: str, binding: UUID) -> HttpResponse:
    """``/if/admin/flows/<slug>/access/<binding>/``"""
    flow = flows.find(slug)
    return _edit(request, _Place(flow, flows.SECTION, [*flows.UP, (flow.slug, flows.address(flow))]), binding)


@require_http_methods(["GET", "POST"])
@administrators
@careful
def of_stage(request: HttpRequest, slug: str, uuid: UUID, binding: UUID) -> HttpResponse:
    """``/if/admin/flows/<slug>/stages/<uuid>/access/<binding>/``"""
    flow, place = flow_stages.find(slug, uuid)
    crumbs: list[Crumb] = [
        *flows.UP,
        (flow.slug, flows.address(flow)),
        (place.stage.name, flow_stages.address(place)),
    ]
    return _edit(request, _Place(place, flows.SECTION, crumbs), binding)


@require_http_methods(["GET", "POST"])
@administrators
@careful
def of_source(request: HttpRequest, slug: str, binding: UUID) -> HttpResponse:
    """``/if/admin/sources/<slug>/access/<binding>/``"""
    source = sources.find(slug)
    crumbs: list[Crumb] = [*sources.UP, (source.name, sources.address(source))]
    return _edit(request, _Place(source, sources.SECTION, crumbs), binding)


def _edit(request: HttpRequest, place: _Place, key: UUID) -> HttpResponse:
    binding = get_object_or_404(place.target.bindings.select_related("user", "group", "policy"), pk=key)
    title, back = _("Edit %(subject)s") % {"subject": binding.subject}, place.crumbs[-1][1]
    form = BindingEditForm(request.POST if request.method == "POST" else None, binding=binding)
    preview: list[str] = []
    if form.is_bound and form.is_valid():
        if place.foretold is not None and "preview" in request.POST:
            preview = place.foretold(binding, form) or [_("Nobody gains or loses access.")]
        else:
            with errors_at(form):
                update_binding(Actor.of(request), binding, **form.cleaned_data)
                return done(request, back, _("Saved, and in force."))
    return show_admin(
        request,
        "binding.html",
        section=place.section,
        title=title,
        crumbs=place.crumbs,
        form=form,
        preview=preview,
        can_foretell=place.foretold is not None,
        usernames=usernames() if may_see(request, User) else [],
        back=back,
        status=200 if preview else status_of(form),
    )
