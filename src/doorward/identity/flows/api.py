"""The executor API: the same flows for clients that bring their own pages (``contracts/identity.md`` section 8).

``GET`` answers the current challenge. ``POST`` answers it: 200 with ``response_errors`` when wrong, 302 to the same
URL when the next challenge waits there, 200 ``xak-flow-redirect`` at the end. Every answer sets the CSRF cookie whose
value goes into the header ``X-authentik-CSRF``.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from msgspec import UNSET, Struct

from doorward.identity.authenticators.remembered import send_cookie
from doorward.identity.flows import executor
from doorward.identity.flows.executor import Denied, Finished, Moved, Outcome, Shown, Unfit
from doorward.identity.flows.models import Flow
from doorward.identity.flows.next_url import safe_next
from doorward.identity.flows.queries import flow_named
from doorward.identity.flows.visitor import visitor
from doorward.identity.stages.view import Answer, Challenge, ErrorDetail, FlowInfo, title_of

LONGEST_QUERY = 16_384

Value = str | bool | int | float | dict[str, object] | None
"""What a field of an answer may be."""
OBJECTS = frozenset({"webauthn", "passkey", "response", "selected_challenge"})
"""The fields that may hold an object: what a browser's authenticator said, and which challenge is meant."""


class RedirectChallenge(Struct, frozen=True, kw_only=True):
    component: str = "xak-flow-redirect"
    to: str
    final_redirect: bool = True


class AccessDenied(Challenge, frozen=True, kw_only=True):
    component: str = "ak-stage-access-denied"
    pending_user: str
    pending_user_avatar: str = "/static/person.svg"
    error_message: str


class FlowError(Challenge, frozen=True, kw_only=True):
    component: str = "ak-stage-flow-error"
    request_id: str
    error: str | None
    traceback: str | None = None


@require_http_methods(["GET", "POST"])
def execute(request: HttpRequest, flow_slug: str) -> HttpResponse:
    """``/api/v3/flows/executor/<slug>/?query=…``"""
    flow = flow_named(flow_slug)
    if flow is None:
        return _json({"detail": "No Flow matches the given query."}, status=404)
    next_url = _next_of(request)
    if request.method == "POST":
        try:
            answer = _answer_of(request)
        except ValueError:
            return _json({"detail": "The body is not a JSON object of texts and booleans."}, status=400)
        component = answer.text("component") or None
        outcome: Outcome = executor.judge(request, flow, next_url, answer, step=None, component=component)
    else:
        outcome = executor.look(request, flow, next_url)
    response = _respond(request, flow, outcome)
    _set_csrf_cookie(request, response)
    send_cookie(request, response)
    return response


def _next_of(request: HttpRequest) -> str:
    query = request.GET.get("query", "")
    if len(query) > LONGEST_QUERY:
        return ""
    try:
        return safe_next(parse_qs(query.removeprefix("?"), max_num_fields=100).get("next", [""])[0])
    except ValueError:
        return ""


def _answer_of(request: HttpRequest) -> Answer:
    """Raises ValueError (msgspec's errors are)."""
    if request.content_type != "application/json":
        return Answer(request.POST.dict())
    fields = msgspec.json.decode(request.body or b"{}", type=dict[str, Value])
    return Answer({name: _text(name, value) for name, value in fields.items() if value is not None})


def _text(name: str, value: str | bool | float | dict[str, object]) -> str:
    """What a form would carry; objects stay JSON. Raises ValueError."""
    if isinstance(value, dict):
        if name not in OBJECTS:
            raise ValueError(name)
        return msgspec.json.encode(value).decode()
    return value if isinstance(value, str) else str(value).lower()


def _respond(request: HttpRequest, flow: Flow, outcome: Outcome) -> HttpResponse:
    match outcome:
        case Shown():
            return _json(outcome.challenge)
        case Moved():
            return HttpResponseRedirect(request.get_full_path())
        case Finished():
            return _json(RedirectChallenge(to=outcome.to))
        case Unfit():
            error = ErrorDetail(string=_(outcome.message), code="invalid")
            challenge = msgspec.structs.replace(outcome.shown.challenge, response_errors={"non_field_errors": [error]})
            return _json(challenge, status=outcome.status)
        case Denied():
            return _json(_denial(request, flow, outcome))


def _denial(request: HttpRequest, flow: Flow, denied: Denied) -> Challenge:
    user = visitor(request)
    info = FlowInfo(
        title=title_of(flow, denied.application),
        background=flow.background,
        cancel_url="/flows/-/cancel/",
        layout=flow.layout,
        compatibility_mode=flow.compatibility_mode,
    )
    if denied.broken:
        error = "; ".join(denied.reasons) if user is not None and user.is_superuser else None
        request_id = getattr(getattr(request, "facts", None), "request_id", "")
        return FlowError(flow_info=info, response_errors=UNSET, request_id=request_id, error=error)
    return AccessDenied(flow_info=info, pending_user=user.username if user else "", error_message=_(denied.message))


def _json(content: object, *, status: int = 200) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(content), content_type="application/json", status=status)


def _set_csrf_cookie(request: HttpRequest, response: HttpResponse) -> None:
    """The token is kept in the session; this cookie is the client's copy of it, readable by its script."""
    response.set_cookie(
        settings.CSRF_COOKIE_NAME,
        get_token(request),
        secure=settings.CSRF_COOKIE_SECURE,
        httponly=False,
        samesite="Strict",
        path="/",
    )
