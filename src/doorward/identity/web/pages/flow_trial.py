"""A flow tried by whoever looks after it: begin, and what happened."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from doorward.identity.flows import inspector
from doorward.identity.web.pages import flows
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import show_admin


@require_POST
@administrators
def begin(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/flows/<slug>/try/``: as oneself, and in earnest."""
    flow = flows.find(slug)
    response = HttpResponseRedirect(inspector.try_out(request, flow, reverse("admin-flow-tried", args=[slug])))
    response.status_code = 303
    return response


@require_GET
@administrators
def tried(request: HttpRequest, slug: str) -> HttpResponse:
    """``/if/admin/flows/<slug>/tried/``"""
    flow = flows.find(slug)
    return show_admin(
        request,
        "tried.html",
        section=flows.SECTION,
        title=_("What %(slug)s did") % {"slug": slug},
        crumbs=[*flows.UP, (slug, flows.address(flow))],
        flow=flow,
        inspection=inspector.inspect(request, flow),
    )
