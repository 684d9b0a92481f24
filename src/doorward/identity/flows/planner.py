"""Turns a flow into a plan, and says whether the visitor may start it at all.

A binding with ``evaluate_on_plan`` is judged here; one with ``re_evaluate_policies`` when it is reached (executor).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _

from doorward.identity.directory.models import User
from doorward.identity.flows import journal
from doorward.identity.flows.admission import Undecided, admits, known
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.flows.plan import (
    ADDED_CONSENT,
    IFRAME_LOGOUT,
    SESSION_END,
    SOURCE_LOGOUT,
    KeptContext,
    Plan,
    PlanContext,
    Step,
    new_plan_id,
)
from doorward.identity.flows.queries import course
from doorward.identity.flows.visitor import visitor
from doorward.identity.sources.saml import vouched_logins
from doorward.identity.stages.models import ConsentStage
from doorward.identity.stages.registry import view_of
from doorward.identity.stages.view import Visit


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the flow is closed to this visitor. ``message`` is for the visitor, ``reasons`` for an administrator."""

    message: str
    reasons: tuple[str, ...] = ()
    log_in_first: bool = False
    """Logging in would open it."""


def plan(request: HttpRequest, flow: Flow, *, next_url: str, context: PlanContext) -> Plan:
    """A fresh plan. Judging that fails with an exception leaves the stage in: it is judged again when reached."""
    fresh = Plan(
        id=new_plan_id(),
        flow=flow.slug,
        next=next_url,
        started=time.time(),
        steps=_steps(request, flow, context),
        context=KeptContext.of(context),
        user=user.pk if (user := visitor(request)) else None,
    ).begun()
    journal.note(request, fresh, journal.PLANNED)
    return fresh


def _steps(request: HttpRequest, flow: Flow, context: PlanContext) -> tuple[Step, ...]:
    steps = [
        Step(kind=binding.stage.kind, binding=str(binding.pk))
        for binding in course(flow.pk)
        if not binding.evaluate_on_plan or _applies(request, binding)
    ]
    if (
        flow.designation == Flow.Designation.INVALIDATION
        and visitor(request) is None
        and vouched_logins.is_to_go(request.session)
    ):
        steps.insert(0, Step(kind=SOURCE_LOGOUT))
    if context.frames:
        steps.insert(0, Step(kind=IFRAME_LOGOUT))
    if context.require_consent and not any(step.kind == ConsentStage.KIND for step in steps):
        steps.append(Step(kind=ADDED_CONSENT))
    if flow.designation == Flow.Designation.INVALIDATION and context.application and not context.continuation:
        steps.append(Step(kind=SESSION_END))
    return tuple(steps)


def _applies(request: HttpRequest, binding: FlowStageBinding) -> bool:
    try:
        return admits(request, binding, visitor(request)).passing
    except Undecided:
        return True


def refusal(request: HttpRequest, flow: Flow, plan: Plan) -> Refusal | None:
    """Why the visitor may not start ``flow``; None if they may."""
    user = visitor(request)
    refused = _requirement(flow, user, plan)
    if refused is not None:
        return refused
    try:
        verdict = admits(request, flow, user, known(plan))
    except Undecided:
        return Refusal(_("This cannot be decided right now. An administrator finds the cause in the events."))
    if not verdict.passing:
        return Refusal(_("This is not open to you."), verdict.reasons, log_in_first=user is None)
    return None


def _requirement(flow: Flow, user: User | None, plan: Plan) -> Refusal | None:
    needs = Flow.Authentication
    match flow.authentication:
        case needs.REQUIRE_AUTHENTICATED if user is None:
            return Refusal(_("Log in first."), log_in_first=True)
        case needs.REQUIRE_UNAUTHENTICATED if user is not None and not plan.context.reauthenticate:
            return Refusal(_("You are logged in already."), ("The flow requires a visitor who is not logged in.",))
        case needs.REQUIRE_SUPERUSER if user is None:
            return Refusal(_("Log in first."), log_in_first=True)
        case needs.REQUIRE_SUPERUSER if user is not None and not user.is_superuser:
            return Refusal(_("This is for administrators."), ("The flow requires a superuser.",))
        case needs.REQUIRE_REDIRECT if not plan.handovers:
            return Refusal(_("This page cannot be opened directly."), ("The flow must be entered from another flow.",))
        case needs.REQUIRE_OUTPOST:
            return Refusal(_("This page is for outposts."), ("The flow requires an outpost.",))
    return None


def asks(request: HttpRequest, flow: Flow, plan: Plan) -> bool:
    """Whether any stage of ``plan`` would show a page."""
    for step in plan.steps:
        visit = Visit.at(request, flow, plan, step)
        if visit is None or view_of(visit).asks():
            return True
    return False
