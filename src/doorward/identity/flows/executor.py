"""Runs flows. One engine for the page and the API; both only translate what it answers.

``look`` is a GET: find or make the plan, let stages that need nobody pass, and show the first that asks. ``judge`` is
a POST: give the answer to the current stage, and to no other. What comes out is one of

========  ===============================================================================
Shown     this stage asks; after a wrong answer with its errors
Moved     the plan has moved, look again
Finished  all stages are passed, or there was nothing to do; go there
Denied    the flow is closed to this visitor, or broke (``broken``)
Unfit     the answer was not fit to be judged; nothing has changed
========  ===============================================================================

A stage counts as passed only when it returned ``Passed`` itself. Whatever raises is a refusal with an event (S-502).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from msgspec import structs

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import User
from doorward.identity.directory.queries import active_user
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.flows import journal, planner, receipts
from doorward.identity.flows.admission import Undecided, admits, known
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.flows.next_url import page_path
from doorward.identity.flows.plan import FieldError, Plan, PlanContext
from doorward.identity.flows.plan_store import PlanStore
from doorward.identity.flows.visitor import visitor
from doorward.identity.policies.queries import bindings_on
from doorward.identity.stages.registry import view_of
from doorward.identity.stages.view import (
    Answer,
    Ask,
    Challenge,
    Elsewhere,
    Entered,
    ErrorDetail,
    Handover,
    Judged,
    Malformed,
    Passed,
    Refused,
    Restart,
    StageView,
    Visit,
    Wrong,
    application_of,
)

logger = logging.getLogger(__name__)

WAITED_TOO_LONG = gettext_noop("This page was open for too long, so the login starts again. Nothing was lost.")
NOT_CURRENT = gettext_noop("That page was from an earlier step or another tab. Please continue here.")
BROKEN = gettext_noop(
    "Something went wrong on our side, so this was refused. An administrator finds the cause in the events."
)


@dataclass(frozen=True, slots=True)
class Shown:
    plan: Plan
    view: StageView[Any]
    challenge: Challenge


@dataclass(frozen=True, slots=True)
class Moved:
    pass


@dataclass(frozen=True, slots=True)
class Finished:
    to: str
    """A path of this host, or a URL that whoever started the flow has checked."""
    elsewhere: bool = False
    """A stage leads to another host: the pages before it did not know, and their forms may not redirect there."""


@dataclass(frozen=True, slots=True)
class Denied:
    message: str
    reasons: tuple[str, ...] = ()
    application: Application | None = None
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Unfit:
    message: str
    status: int
    shown: Shown


Outcome = Shown | Moved | Finished | Denied | Unfit


def look(request: HttpRequest, flow: Flow, next_url: str) -> Shown | Finished | Denied:
    """Where the visitor stands in ``flow`` on the way to ``next_url`` (validated)."""
    plan = _running_or_new(request, flow, next_url)
    return _advance(request, flow, plan) if isinstance(plan, Plan) else plan


def judge(
    request: HttpRequest, flow: Flow, next_url: str, answer: Answer, *, step: str | None, component: str | None
) -> Outcome:
    """Give ``answer`` to the current stage.

    ``step`` is the token of the step that a page answers, ``component`` the name of the challenge that an API client
    answers; None where the client does not say. An answer that is for another stage changes nothing (S-501).
    """
    known = PlanStore(request.session).find(flow.slug, next_url) is not None
    plan = _running_or_new(request, flow, next_url)
    if not isinstance(plan, Plan):
        return plan
    if step is not None and (not known or step != plan.step_token):
        PlanStore(request.session).keep(plan.with_notice(NOT_CURRENT if known else WAITED_TOO_LONG))
        return Moved()
    shown = _advance(request, flow, plan)
    if not isinstance(shown, Shown) or (component is not None and component != shown.view.component):
        return shown
    return _settle(request, flow, shown, _answered(shown, answer))


def _running_or_new(request: HttpRequest, flow: Flow, next_url: str) -> Plan | Finished | Denied:
    plan = PlanStore(request.session).find(flow.slug, next_url)
    user = visitor(request)
    user_pk = user.pk if user else None
    match flow.designation:
        case Flow.Designation.AUTHENTICATION if user_pk is not None and (plan is None or plan.user != user_pk):
            # Logged in already, perhaps in another tab: there is nothing to do here.
            return _leave(request, flow, next_url, plan)
        case Flow.Designation.AUTHORIZATION if plan is None or plan.user != user_pk:
            # What is to be authorized was known to the plan only; the page behind `next` plans it anew.
            if next_url:
                return _leave(request, flow, next_url, None)
            return Denied(_("Open the application again: this page only makes sense on the way to one."))
    if plan is None:
        plan = planner.plan(request, flow, next_url=next_url, context=PlanContext())
        if not plan.steps and flow.designation == Flow.Designation.INVALIDATION:
            # Whoever started it is forgotten; going back to `next` would only start it again.
            return Finished("/")
    refusal = planner.refusal(request, flow, plan)
    return plan if refusal is None else _turn_away(request, flow, plan, refusal)


def _leave(request: HttpRequest, flow: Flow, next_url: str, plan: Plan | None) -> Finished:
    if plan is not None:
        PlanStore(request.session).drop(plan)
    return Finished((plan.context.continuation if plan else "") or next_url or "/")


def _turn_away(request: HttpRequest, flow: Flow, plan: Plan, refusal: planner.Refusal) -> Finished | Denied:
    """What ``denied_action`` says, unless going on would only lead back here."""
    PlanStore(request.session).drop(plan)
    journal.note(request, plan, journal.REFUSED, refusal.message, reasons=refusal.reasons)
    entering = flow.designation in {Flow.Designation.AUTHENTICATION, Flow.Designation.AUTHORIZATION}
    if refusal.log_in_first and not entering:
        here = reverse("flow-page", kwargs={"flow_slug": flow.slug})
        here += f"?{urlencode({'next': plan.next})}" if plan.next else ""
        return Finished(f"{reverse('flow-default-authentication')}?{urlencode({'next': here})}")
    if not entering and flow.denied_action == Flow.DeniedAction.CONTINUE:
        return Finished(plan.next or "/")
    if not entering and flow.denied_action == Flow.DeniedAction.MESSAGE_CONTINUE and plan.next:
        return Finished(plan.next)
    return Denied(refusal.message, refusal.reasons, application_of(plan))


def _advance(request: HttpRequest, flow: Flow, plan: Plan, *, again: bool = False) -> Shown | Finished | Denied:
    """Let stages pass that need no answer; stop at the first that asks. ``again``: after a stage sent it back."""
    while (step := plan.step) is not None:
        visit = Visit.at(request, flow, plan, step)
        if visit is None:
            PlanStore(request.session).drop(plan)
            return Denied(_("This login was changed while you were in it. Please start again."))
        applies = _applies(visit)
        if isinstance(applies, Denied):
            journal.note(request, plan, journal.REFUSED, applies.message)
            return applies
        if not applies:
            journal.note(request, plan, journal.LEFT_OUT)
            plan = plan.passed()
            continue
        view = view_of(visit)
        entered = _entered(view)
        match entered:
            case Passed():
                journal.note(request, plan, journal.PASSED, "Nothing to ask.")
                plan = entered.plan
            case Ask():
                if entered.plan is not None:
                    plan = entered.plan
                    view = view_of(replace(visit, plan=plan))
                PlanStore(request.session).keep(plan)
                journal.note(request, plan, journal.ASKED)
                return Shown(plan, view, _with_errors(entered.challenge, plan.errors))
            case Elsewhere():
                if entered.back is not None:
                    PlanStore(request.session).keep(entered.back)
                else:
                    PlanStore(request.session).drop(plan)
                journal.note(request, plan, journal.ELSEWHERE)
                return _elsewhere(entered)
            case Handover():
                return _hand_over(request, plan, entered)
            case Restart() if not again:
                journal.note(request, plan, journal.RESTARTED, entered.notice)
                return _advance(request, flow, plan.restarted().with_notice(entered.notice), again=True)
            case Restart():  # no stage before it asks anything: it would only come back here
                return _refused(request, plan, Refused(entered.notice))
            case Refused() | Denied():
                return _refused(request, plan, entered)
    PlanStore(request.session).drop(plan)
    journal.note(request, plan, journal.FINISHED)
    if flow.designation == Flow.Designation.AUTHENTICATION and visitor(request) is None:
        # Going on would only lead back here.
        reason = "The flow has no user login stage, or its bindings left that out."
        return Denied(_("This login leads nowhere. An administrator can mend it."), (reason,), application_of(plan))
    return Finished(receipts.leave(request, plan))


def _elsewhere(entered: Elsewhere) -> Finished:
    return Finished(entered.to, elsewhere=not entered.to.startswith("/"))


def _hand_over(request: HttpRequest, plan: Plan, handover: Handover) -> Finished:
    """A plan for the other flow, on the way to the same destination; who was proven stays proven where context is kept.

    Its own requirement is judged when the visitor arrives there."""
    plans, target = PlanStore(request.session), handover.flow
    plans.drop(plan)
    fresh = planner.plan(request, target, next_url=plan.next, context=PlanContext())
    fresh = structs.replace(fresh, context=plan.context, handovers=plan.handovers + 1)
    if handover.keep:
        fresh = structs.replace(
            fresh,
            pending=plan.pending,
            proven=plan.proven,
            methods=plan.methods,
            prompt_data=plan.prompt_data,
            invitation=plan.invitation,
        )
    plans.keep(fresh)
    journal.note(request, plan, journal.ELSEWHERE, f"Into the flow “{target.slug}”.")
    journal.follow(request, plan, fresh)
    return Finished(page_path(target.slug, plan.next))


def _applies(visit: Visit) -> bool | Denied:
    """Whether the bindings on the stage, judged now that it is reached, are for this visitor."""
    if visit.binding is None or not visit.binding.re_evaluate_policies:
        return True
    if not bindings_on(visit.binding.pk) and not journal.is_kept(visit.request):
        return True  # whom it would be about needs not be known
    try:
        return admits(visit.request, visit.binding, _subject(visit), known(visit.plan)).passing
    except Undecided:
        PlanStore(visit.request.session).drop(visit.plan)
        return Denied(BROKEN, application=visit.application, broken=True)


def _subject(visit: Visit) -> User | None:
    """Whom bindings are about. A deactivated user counts as unknown: no stage may behave differently (S-504)."""
    pending = visit.plan.pending
    if pending is None:
        return visitor(visit.request)
    return active_user(pending.user)


def _entered(view: StageView[Any]) -> Entered | Denied:
    try:
        return view.enter()
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is no
        return _broke(view, error)


def _answered(shown: Shown, answer: Answer) -> Judged | Denied:
    try:
        return shown.view.answer(answer)
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is no
        return _broke(shown.view, error)


def _broke(view: StageView[Any], error: Exception) -> Denied:
    visit = view.visit
    logger.exception("stage %s of flow %s failed", visit.stage.name, visit.flow.slug)
    events.record(
        "system_exception",
        "authentik.flows",
        Actor.of(visit.request),
        flow=visit.flow.slug,
        stage=visit.stage.name,
        error=type(error).__name__,
    )
    return Denied(BROKEN, (f"{type(error).__name__} in stage “{visit.stage.name}”",), visit.application, broken=True)


def _settle(request: HttpRequest, flow: Flow, shown: Shown, judged: Judged | Denied) -> Outcome:
    plans = PlanStore(request.session)
    match judged:
        case Passed():
            # Through to the next stage that asks; the login may have given the session a new key on the way.
            journal.note(request, shown.plan, journal.PASSED)
            outcome = _advance(request, flow, judged.plan)
            return Moved() if isinstance(outcome, Shown) else outcome
        case Wrong():
            journal.note(request, shown.plan, journal.WRONG, reasons=[error.string for error in judged.errors])
            return _wrong(plans, shown, judged)
        case Elsewhere():
            plans.drop(shown.plan)
            journal.note(request, shown.plan, journal.ELSEWHERE)
            return _elsewhere(judged)
        case Restart():
            journal.note(request, shown.plan, journal.RESTARTED, judged.notice)
            plans.keep(shown.plan.restarted().with_notice(judged.notice))
            return Moved()
        case Malformed():
            return Unfit(judged.message, judged.status, shown)
        case Refused() | Denied():
            return _refused(request, shown.plan, judged)


def _wrong(plans: PlanStore, shown: Shown, wrong: Wrong) -> Shown | Moved:
    binding = shown.view.visit.binding
    action = binding.invalid_response_action if binding else FlowStageBinding.InvalidResponseAction.RETRY
    plan = wrong.plan or shown.plan
    plan = (plan.failed() if wrong.counts else plan).with_errors(wrong.errors)
    if action == FlowStageBinding.InvalidResponseAction.RETRY or not wrong.counts:
        plans.keep(plan)
        return Shown(plan, shown.view, _with_errors(shown.challenge, wrong.errors))
    keep_pending = action == FlowStageBinding.InvalidResponseAction.RESTART_WITH_CONTEXT
    plans.keep(plan.restarted(keep_pending=keep_pending).with_notice(_("That was not right. Please start again.")))
    return Moved()


def _refused(request: HttpRequest, plan: Plan, refused: Refused | Denied) -> Denied:
    PlanStore(request.session).drop(plan)
    journal.note(request, plan, journal.REFUSED, refused.message, reasons=refused.reasons)
    if isinstance(refused, Denied):
        return refused
    return Denied(refused.message, refused.reasons, application_of(plan))


def _with_errors(challenge: Challenge, errors: tuple[FieldError, ...]) -> Challenge:
    if not errors:
        return challenge
    details: dict[str, list[ErrorDetail]] = {}
    for error in errors:
        details.setdefault(error.field, []).append(ErrorDetail(string=_(error.string), code=error.code))
    return structs.replace(challenge, response_errors=details)
