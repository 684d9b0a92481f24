"""The inspector: a flow's page with ``?inspector`` shows an administrator what the flow does, and flows can be tried.

For whoever is no superuser the parameter means nothing (``journal``). A trial is the flow itself, run by whoever
tries it: nothing is pretended, and somebody who is logged in is asked everything again.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from doorward.identity.flows import journal, planner
from doorward.identity.flows.journal import Journal
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.flows.next_url import page_path
from doorward.identity.flows.plan import Plan, PlanContext
from doorward.identity.flows.plan_store import PlanStore

PARAMETER = "inspector"
_WATCHED = "_flow_watched"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the inspector shows: where the plan stands, and how it came there."""

    flow: Flow
    journal: Journal
    plan: Plan | None
    """None when it is over."""

    @property
    def steps(self) -> list[tuple[str, str]]:
        """Every stage of the plan with ``passed``, ``current`` or ``ahead``."""
        if self.plan is None:
            return []
        names = {
            str(place.pk): place.stage.name
            for place in FlowStageBinding.objects.filter(flow=self.flow).select_related("stage")
        }
        here = self.plan.position
        return [
            (names.get(step.binding, step.kind), "passed" if n < here else "current" if n == here else "ahead")
            for n, step in enumerate(self.plan.steps)
        ]

    @property
    def context(self) -> dict[str, object]:
        """What the plan knows now; of a flow that is over, what it knew at last."""
        if self.plan is not None:
            return journal.context_of(self.plan)
        return self.journal.entries[-1].context if self.journal.entries else {}


def watch(request: HttpRequest, flow: Flow, next_url: str) -> None:
    """Begin to record, or go on, when the page was asked for with the parameter by somebody who may."""
    if PARAMETER in request.GET and journal.open_for(request, flow.slug, next_url):
        setattr(request, _WATCHED, (flow, next_url))


def watched(request: HttpRequest, url: str) -> str:
    """``url``, with the parameter if it is a flow's page and the request was watched."""
    if getattr(request, _WATCHED, None) is None or not url.startswith("/if/flow/"):
        return url
    return f"{url}{'&' if '?' in url else '?'}{PARAMETER}"


def inspection_of(request: HttpRequest) -> Inspection | None:
    """What to show below the page that answers ``request``; None unless it is watched."""
    here: tuple[Flow, str] | None = getattr(request, _WATCHED, None)
    return inspect(request, here[0], here[1]) if here else None


def inspect(request: HttpRequest, flow: Flow, next_url: str | None = None) -> Inspection | None:
    """The newest journal of ``flow`` in this session; None where there is none, and for whoever is no superuser."""
    found = journal.latest(request, flow.slug, next_url)
    if found is None:
        return None
    return Inspection(flow, found, PlanStore(request.session).find(flow.slug, found.next))


def try_out(request: HttpRequest, flow: Flow, back: str) -> str:
    """Plan ``flow`` anew for whoever asks and watch it. Returns the address of its page; ``back`` is where it ends."""
    if journal.open_for(request, flow.slug, back, anew=True):  # a token has no session in which a plan could wait
        plan = planner.plan(request, flow, next_url=back, context=PlanContext(reauthenticate=True))
        PlanStore(request.session).keep(plan)
    return f"{page_path(flow.slug, back)}&{PARAMETER}"
