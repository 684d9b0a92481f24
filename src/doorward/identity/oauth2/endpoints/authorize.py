"""``authorize/``: may this client be told who is sitting here? (``contracts/identity.md`` section 2.2)

The page never asks anything itself. It sends the browser through a flow (log in, consent) that ends at this very URL
again, and believes that it was passed only because of the receipt that the flow left in the session. A POST is only
a long GET: browsers do not send our cookie along with another site's form, so it is repeated as a GET (303).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.applications.models import Application
from doorward.identity.brands.queries import default_flow
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from doorward.identity.explain.decisions import denied
from doorward.identity.flows import entrance
from doorward.identity.flows.denied_page import denied_page
from doorward.identity.flows.entrance import PlanContext, RequestedScope
from doorward.identity.flows.models import Flow
from doorward.identity.flows.next_url import LONGEST
from doorward.identity.logins import queries as logins
from doorward.identity.logins.models import LoginSession
from doorward.identity.oauth2 import acr, authorization_request, denial, hints, parameters, pushed_requests, scopes
from doorward.identity.oauth2.authorization_request import AuthorizationRequest, PageError, Refusal
from doorward.identity.oauth2.endpoints import returning
from doorward.identity.oauth2.kept_out import kept_out
from doorward.identity.oauth2.letting_in import let_in
from doorward.identity.oauth2.models import ScopeMapping
from doorward.identity.oauth2.person import Person
from doorward.identity.oauth2.redirects import origin_of
from doorward.identity.oauth2.subjects import subject_of
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.queries import Verdict, verdict

logger = logging.getLogger(__name__)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    query = request.POST if request.method == "POST" else request.GET
    if not query:
        raise Http404("This page is opened by applications.")
    asked = authorization_request.read(parameters.read(query))
    if isinstance(asked, PageError):
        return _page_error(request, asked)
    if isinstance(asked, Refusal):
        return _refuse(request, asked, asked.denial)
    here = f"{request.path}?{query.urlencode()}" if request.method == "POST" else request.get_full_path()
    if len(here) > LONGEST:
        return _page_error(
            request, PageError(_("Request too long"), _("The application sent more than fits into a URL."))
        )
    if request.method == "POST":
        return returning.redirect(here, 303)
    return _decide(request, asked, here) if _is_here(request, asked) else _over(request)


@require_GET
def declined(request: HttpRequest) -> HttpResponse:
    """Where "no" on the consent page leads: the client is told, in the way that it asked to be answered."""
    asked = authorization_request.read(parameters.read(request.GET))
    if isinstance(asked, PageError):
        return _page_error(request, asked)
    return _refuse(request, asked, denial.REFUSED_BY_USER_OR_POLICY)


def _decide(request: HttpRequest, asked: AuthorizationRequest, here: str) -> HttpResponse:
    login, silent = logins.current(request), "none" in asked.prompt
    if login is None or login.user is None:
        return _refuse(request, asked, denial.LOGIN_REQUIRED) if silent else _log_in(request, asked, here, again=False)
    provider = asked.client.provider
    # These pages were only shown to somebody who had logged in as this request demands.
    consented = entrance.passed(request, provider.authorization_flow, continuation=here)
    stepped_up = provider.step_up_flow is not None and entrance.passed(
        request, provider.step_up_flow, continuation=here
    )
    if not (consented or stepped_up) and _must_log_in_again(asked, login):
        if silent:
            return _refuse(request, asked, denial.LOGIN_REQUIRED)
        if not _has_logged_in_again(request, asked, here):
            return _log_in(request, asked, here, again=True)
        if _is_about_another(asked, login):
            return _refuse(request, asked, denial.LOGIN_REQUIRED)
    if _falls_short(asked, login):
        if silent:
            return _refuse(request, asked, denial.LOGIN_REQUIRED)
        if provider.step_up_flow is not None and not (consented or stepped_up):
            return _step_up(request, asked, here, provider.step_up_flow)
        if asked.claims.acr_essential:
            return _refuse(request, asked, denial.UNMET_AUTHENTICATION)
    access = verdict(asked.client.application, login.user, Asked.by(request))
    if not access.passing:
        _keep_record(request, asked.client.application, login, access)
        if silent:
            return _refuse(request, asked, denial.REFUSED_BY_USER_OR_POLICY)
        application = asked.client.application
        return denied_page(request, application=application, reasons=access.reasons, said=access.messages)
    context = _consent_context(asked, here, login.user)
    if not consented and entrance.needs_answer(request, provider.authorization_flow, context=context):
        if silent:
            return _refuse(request, asked, denial.CONSENT_REQUIRED)
        return entrance.start(request, provider.authorization_flow, next_url=here, context=context)
    fields = let_in(Actor.of(request), asked, login.user, login)
    return _over(request) if fields is None else returning.with_fields(request, asked.return_to, fields)


def _is_here(request: HttpRequest, asked: AuthorizationRequest | Refusal) -> bool:
    """Whether a pushed request is this browser's to answer."""
    pushed = asked.return_to.pushed
    return not pushed or pushed_requests.opened_here(request, pushed)


def _over(request: HttpRequest) -> HttpResponse:
    return _page_error(request, authorization_request.over())


def _keep_record(request: HttpRequest, application: Application, login: LoginSession, access: Verdict) -> None:
    """``doorward explain`` and the page of that name tell administrators which rule decided; an event that it did."""
    actor, user = Actor.of(request), login.user
    assert user is not None
    kept_out(actor, application, user, access.reasons, by=logins.sid_of(login))
    denied(
        application,
        user,
        request_id=actor.request_id,
        client=actor.client_ip or "",
        method=actor.method,
        path=actor.path,
    )


def _must_log_in_again(asked: AuthorizationRequest, login: LoginSession) -> bool:
    """Whether the client wants a fresh proof, for this very request (S-440)."""
    if asked.prompt & {"login", "select_account"} or _is_about_another(asked, login):
        return True
    if _falls_short(asked, login) and asked.client.provider.step_up_flow is None:
        return True
    if asked.max_age is None:
        return False
    age = time.time() - login.authenticated_at.timestamp() if login.authenticated_at else float("inf")
    return asked.max_age == 0 or age > asked.max_age


def _falls_short(asked: AuthorizationRequest, login: LoginSession) -> bool:
    """Whether the login is worth less than the client wishes for."""
    return bool(asked.acr_values) and not acr.reached(asked.acr_values, login.methods)


def _is_about_another(asked: AuthorizationRequest, login: LoginSession) -> bool:
    """Whether the client's hint, or its wish for one ``sub``, names somebody else than who is logged in (S-442)."""
    if login.user is None:
        return False
    hint = hints.read(asked.id_token_hint, asked.client.provider)
    wanted = {hint.sub} if hint is not None else set[str]()
    wanted |= {asked.claims.sub} - {""}
    return bool(wanted - {subject_of(asked.client.provider, login.user)})


def _has_logged_in_again(request: HttpRequest, asked: AuthorizationRequest, here: str) -> bool:
    flow = _authentication_flow(asked)
    return flow is not None and entrance.passed(request, flow, continuation=here)


def _log_in(request: HttpRequest, asked: AuthorizationRequest, here: str, *, again: bool) -> HttpResponse:
    flow = _authentication_flow(asked)
    if flow is None:
        return _page_error(request, PageError(_("Nobody can log in"), _("No authentication flow is configured.")))
    context = PlanContext(
        application=asked.client.application,
        continuation=here,
        redirect_origins=_origins(asked),
        login_hint=asked.login_hint,
        reauthenticate=again,
    )
    return entrance.start(request, flow, next_url=here, context=context)


def _step_up(request: HttpRequest, asked: AuthorizationRequest, here: str, flow: Flow) -> HttpResponse:
    context = PlanContext(
        application=asked.client.application,
        continuation=here,
        redirect_origins=_origins(asked),
        only_passkey=not acr.reached(asked.acr_values, acr.ANY_FACTOR),
    )
    return entrance.start(request, flow, next_url=here, context=context)


def _authentication_flow(asked: AuthorizationRequest) -> Flow | None:
    return asked.client.provider.authentication_flow or default_flow(Flow.Designation.AUTHENTICATION)


def _consent_context(asked: AuthorizationRequest, here: str, user: User) -> PlanContext:
    return PlanContext(
        application=asked.client.application,
        scopes=(
            *(RequestedScope(name, _described(asked.mappings[name])) for name in asked.scopes),
            *(RequestedScope(f"claim {name}", name) for name in _told_besides(asked, user)),
        ),
        continuation=here,
        declined=here.replace("/authorize/?", "/authorize/declined/?", 1),
        redirect_origins=_origins(asked),
        require_consent="consent" in asked.prompt,
    )


def _told_besides(asked: AuthorizationRequest, user: User) -> list[str]:
    """Claims that the client will be told by name, and not for one of the scopes."""
    if not asked.claims.names:
        return []
    person = Person(user, asked.client.provider)
    by_name = scopes.named(person, asked.claims.names, asked.mappings)
    return sorted(by_name.keys() - scopes.claims_of(person, asked.scopes, asked.mappings).keys())


def _origins(asked: AuthorizationRequest) -> tuple[str, ...]:
    origin = origin_of(asked.return_to.redirect_uri)
    return (origin,) if origin else ()


def _refuse(request: HttpRequest, asked: AuthorizationRequest | Refusal, why: denial.Denial) -> HttpResponse:
    if asked.return_to.pushed and not pushed_requests.opened_here(request, asked.return_to.pushed):
        return _over(request)
    return returning.with_error(request, asked.return_to, why)


def _page_error(request: HttpRequest, error: PageError) -> HttpResponse:
    actor = Actor.of(request)
    name = error.client.provider.name if error.client else "unknown"
    logger.warning("authorization request refused: %s (client %r, request %s)", error.title, name, actor.request_id)
    context = {"title": error.title, "text": error.text, "request_id": actor.request_id}
    return render(request, "oauth2/refused.html", context, status=400)


def _described(mappings: Sequence[ScopeMapping]) -> str:
    """What the consent page says about a scope."""
    return " ".join(dict.fromkeys(mapping.description for mapping in mappings if mapping.description))
