"""The flow page and its neighbours in the browser: plain forms, post-redirect-get, htmx where it runs.

A POST never renders (but for answers that are not fit to be judged): it redirects to the same page with 303, so that
reloading and going back are harmless. htmx follows the same redirects and swaps ``<main>``.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect
from msgspec import UNSET

from doorward.identity.authenticators.remembered import send_cookie
from doorward.identity.brands.queries import default_flow
from doorward.identity.flows import executor, inspector
from doorward.identity.flows.denied_page import denied_page
from doorward.identity.flows.entrance import page_url
from doorward.identity.flows.executor import Denied, Finished, Moved, Outcome, Shown, Unfit
from doorward.identity.flows.mail_links import through_link
from doorward.identity.flows.models import Flow
from doorward.identity.flows.next_url import safe_next
from doorward.identity.flows.plan_store import PlanStore
from doorward.identity.flows.queries import flow_named
from doorward.identity.logins.session_store import NOTICE
from doorward.identity.mail import links
from doorward.identity.stages.view import Answer
from doorward.identity.web.context import branded


@require_http_methods(["GET", "POST"])
def flow_page(request: HttpRequest, flow_slug: str) -> HttpResponse:
    """``/if/flow/<slug>/?next=…``"""
    flow = flow_named(flow_slug)
    if flow is None:
        raise Http404
    if links.PARAMETER in request.GET:
        return through_link(request, flow)
    next_url = safe_next(request.GET.get("next", ""))
    inspector.watch(request, flow, next_url)
    if request.method == "POST":
        answer = Answer(request.POST.dict())
        outcome = executor.judge(request, flow, next_url, answer, step=answer.text("step"), component=None)
        here = inspector.watched(request, page_url(flow, next_url))
        still = isinstance(outcome, Moved | Shown)
        response = _to(request, here, status=303) if still else _answer(request, outcome)
    else:
        response = _answer(request, executor.look(request, flow, next_url))
    send_cookie(request, response)
    return response


def _answer(request: HttpRequest, outcome: Outcome) -> HttpResponse:
    match outcome:
        case Finished():
            to = inspector.watched(request, outcome.to)
            if getattr(request, "htmx", False):
                return HttpResponseClientRedirect(to)
            if outcome.elsewhere and request.method == "POST":
                return render(request, "flows/onward.html", {"to": outcome.to})
            return _to(request, to, status=303 if request.method == "POST" else 302)
        case Denied():
            return denied_page(
                request,
                application=outcome.application,
                message=outcome.message,
                reasons=outcome.reasons,
                status=500 if outcome.broken else 403,
            )
        case Unfit():
            return _show(request, outcome.shown, problem=outcome.message, status=outcome.status)
        case Shown() if (outcome.view.outside() or outcome.view.frames()) and getattr(request, "htmx", False):
            # The document that asks keeps its own policy, under which the page's script would not run.
            return HttpResponseClientRedirect(request.get_full_path())
        case Shown():
            return _show(request, outcome)
        case Moved():
            return _to(request, request.get_full_path(), status=303)


def _show(request: HttpRequest, shown: Shown, *, problem: str = "", status: int = 200) -> HttpResponse:
    challenge, plan = shown.challenge, shown.plan
    errors = {} if challenge.response_errors is UNSET else challenge.response_errors
    response = render(
        request,
        shown.view.template,
        {
            **branded(request, plan.context.redirect_origins),
            "challenge": challenge,
            "flow": shown.view.visit.flow,
            "application": shown.view.visit.application,
            "errors": {field: details[0].string for field, details in errors.items()},
            "problem": problem,
            "notice": request.session.pop(NOTICE, "") or plan.notice,
            "step": plan.step_token,
            "cancel_url": cancel_url(plan.next),
            "declined_url": plan.context.declined or "/",
        },
        status=status,
    )
    # Browsers apply form-action to where the answer to a form redirects to, in the end the application.
    response.form_action_origins = plan.context.redirect_origins  # type: ignore[attr-defined]
    response.outside_origins = shown.view.outside()  # type: ignore[attr-defined]
    response.frame_origins = shown.view.frames()  # type: ignore[attr-defined]
    return response


def _to(request: HttpRequest, url: str, *, status: int) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response.status_code = status
    return response


def cancel_url(next_url: str = "") -> str:
    """Where "not you?" leads."""
    return reverse("flow-cancel") + (f"?{urlencode({'next': next_url})}" if next_url else "")


@require_GET
def cancel(request: HttpRequest) -> HttpResponse:
    """``/flows/-/cancel/``: forget the running plans, start again."""
    PlanStore(request.session).clear()
    return HttpResponseRedirect(safe_next(request.GET.get("next", "")) or reverse("flow-default-authentication"))


@require_GET
def default_authentication(request: HttpRequest) -> HttpResponse:
    """``/flows/-/default/authentication/``"""
    return _to_default(request, Flow.Designation.AUTHENTICATION)


@require_GET
def default_invalidation(request: HttpRequest) -> HttpResponse:
    """``/flows/-/default/invalidation/``"""
    return _to_default(request, Flow.Designation.INVALIDATION)


def _to_default(request: HttpRequest, designation: Flow.Designation) -> HttpResponse:
    flow = default_flow(designation)
    if flow is None:
        raise Http404
    query = request.META.get("QUERY_STRING", "")
    return HttpResponseRedirect(page_url(flow) + (f"?{query}" if query else ""))
