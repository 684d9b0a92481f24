"""For whom a source is: groups, users and policies bound to it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from doorward.identity.web.forms.applications import BindingForm
from doorward.identity.web.pages import sources
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import Crumb, done
from doorward.identity.web.pages.flow_access import bound, removed


@require_POST
@administrators
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/sources/<slug>/access/``"""
    source, form = sources.find(slug), BindingForm(request.POST)
    if form.is_valid() and bound(request, source, form):
        return done(request, sources.address(source), _("Saved, and in force."))
    return sources.show_source(request, slug, binding_form=form)


@require_http_methods(["GET", "POST"])
@administrators
def remove(request: HttpRequest, slug: str, binding: UUID) -> HttpResponse:
    """``/if/admin/sources/<slug>/access/<binding>/remove/``"""
    source = sources.find(slug)
    crumbs: list[Crumb] = [*sources.UP, (source.name, sources.address(source))]
    return removed(
        request,
        source,
        binding,
        what=_("the source “%(name)s”") % {"name": source.name},
        section=sources.SECTION,
        crumbs=crumbs,
    )
