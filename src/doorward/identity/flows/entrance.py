"""How the other apps send a visitor through a flow and learn that it was passed.

``start`` puts a plan into the session and redirects to the flow's page. When the last stage is passed the visitor
is sent to ``context.continuation``, and a *receipt* (flow, continuation, user; two minutes; once) lies in the
session. The page at the continuation asks ``passed`` for it: that is the proof, the URL alone is none.

::

    if not entrance.passed(request, flow, continuation=here):
        return entrance.start(request, flow, next_url=here, context=PlanContext(application=app, continuation=here))
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from msgspec import structs

from doorward.identity.flows import planner, receipts
from doorward.identity.flows.models import Flow
from doorward.identity.flows.next_url import page_path, safe_next
from doorward.identity.flows.plan import KeptContext, PlanContext, RequestedScope
from doorward.identity.flows.plan_store import PlanStore
from doorward.identity.languages.actions import remember_asked
from doorward.identity.sources.arrival import Arrival

__all__ = ["PlanContext", "RequestedScope", "needs_answer", "passed", "start", "start_from_source"]


def start(request: HttpRequest, flow: Flow, *, next_url: str, context: PlanContext) -> HttpResponse:
    """Plan ``flow`` anew for this session and send the visitor there.

    ``next_url`` names the tab: two journeys with different destinations do not disturb each other. A flow without
    stages is through at once: the answer redirects straight to the continuation, and the receipt is there.
    """
    next_url = safe_next(next_url) or safe_next(context.continuation)
    plan = planner.plan(request, flow, next_url=next_url, context=context)
    if not plan.steps and planner.refusal(request, flow, plan) is None:
        return HttpResponseRedirect(receipts.leave(request, plan))
    PlanStore(request.session).keep(plan)
    remember_asked(request)
    get_token(request)  # the first form will need it: this way the session is written once
    return HttpResponseRedirect(page_url(flow, next_url))


def start_from_source(
    request: HttpRequest, flow: Flow, arrival: Arrival, *, kept: KeptContext | None, next_url: str, instead_of: str
) -> HttpResponse:
    """Send somebody whom a source has proven, or brings for the first time, through the source's own ``flow``.

    ``kept`` is the context of the login flow ``instead_of`` that they were in; they go on to where it led.
    """
    plan = planner.plan(request, flow, next_url=next_url, context=PlanContext(arrival=arrival))
    if kept is not None:
        context = structs.replace(kept, arrival=arrival, instead_of=kept.instead_of or instead_of)
        plan = structs.replace(plan, context=context)
    PlanStore(request.session).keep(plan)
    return HttpResponseRedirect(page_url(flow, next_url))


def passed(request: HttpRequest, flow: Flow, *, continuation: str) -> bool:
    """Whether this session has just come through ``flow`` to ``continuation``. Takes the receipt: asks once."""
    return receipts.take(request, flow, continuation)


def needs_answer(request: HttpRequest, flow: Flow, *, context: PlanContext) -> bool:
    """Whether the visitor would have to do anything in ``flow`` now (``prompt=none`` must know)."""
    plan = planner.plan(request, flow, next_url="", context=context)
    return planner.refusal(request, flow, plan) is not None or planner.asks(request, flow, plan)


def page_url(flow: Flow, next_url: str = "") -> str:
    """Path of the flow's page."""
    return page_path(flow.slug, next_url)
