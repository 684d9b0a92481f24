"""``/flows/-/configure/<stage uuid>/``: a user sets up what a stage is about: a factor, or another password.

Factors are changed by a login that is recent and has shown the factors it could (S-512); another one is sent through
the login first. If that does not help, because the login flow asks for no second factor, the page says so instead of
sending the browser in circles.
"""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from doorward.identity.authenticators.standing import Standing, standing
from doorward.identity.brands.queries import default_flow
from doorward.identity.flows import entrance
from doorward.identity.flows.denied_page import denied_page
from doorward.identity.flows.entrance import PlanContext
from doorward.identity.flows.models import Flow
from doorward.identity.flows.next_url import safe_next
from doorward.identity.flows.visitor import visitor
from doorward.identity.stages.models import Stage

AFTERWARDS = "/if/user/factors/"


@require_GET
def configure(request: HttpRequest, stage_uuid: UUID) -> HttpResponse:
    """Through the login if need be, then through the stage's own flow, then to ``?next=``."""
    stage = get_object_or_404(Stage, pk=stage_uuid).concrete()
    flow = getattr(stage, "configure_flow", None)
    if not isinstance(flow, Flow):
        raise Http404
    here = request.get_full_path()
    if visitor(request) is None:
        return HttpResponseRedirect(f"{reverse('flow-default-authentication')}?{urlencode({'next': here})}")
    if (refused := prove_again(request, here)) is not None:
        return refused
    next_url = safe_next(request.GET.get("next", "")) or AFTERWARDS
    return entrance.start(request, flow, next_url=next_url, context=PlanContext())


def prove_again(request: HttpRequest, here: str) -> HttpResponse | None:
    """None if this login may change factors now; else the way to one that may, which ends at ``here``."""
    how = standing(request)
    if how is Standing.GOOD:
        return None
    flow = default_flow(Flow.Designation.AUTHENTICATION)
    if flow is None:
        raise Http404
    if entrance.passed(request, flow, continuation=here):
        return denied_page(
            request,
            message=_("This needs a login with your second factor, but the login did not ask for it."),
            reasons=(f"The flow “{flow.slug}” has no stage that asks for the factors which this user has.",),
            status=403,
        )
    user = visitor(request)
    context = PlanContext(continuation=here, reauthenticate=True, login_hint=user.username if user else "")
    return entrance.start(request, flow, next_url=here, context=context)
