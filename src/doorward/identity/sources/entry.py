"""What follows when somebody has arrived from a source: log in, enrol, prove, connect, or no.

The browser's part of ``matching``; every kind of source that people come from by themselves ends here. What is decided
goes on in a flow: the source's own for logging in or enrolling, in place of the login flow that the visitor was in.
"""

from __future__ import annotations

import time

import msgspec
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from msgspec import Struct, structs

from doorward.identity.brands.queries import default_flow
from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.flows import entrance
from doorward.identity.flows.admission import Undecided, admits
from doorward.identity.flows.denied_page import denied_page
from doorward.identity.flows.entrance import PlanContext
from doorward.identity.flows.models import Flow
from doorward.identity.flows.plan import KeptContext
from doorward.identity.flows.plan_store import PlanStore
from doorward.identity.flows.visitor import visitor
from doorward.identity.sources import arrivals
from doorward.identity.sources.arrival import Arrival
from doorward.identity.sources.matching import PEOPLE, Deny, Enrol, Link, LogIn, Prove, decide
from doorward.identity.sources.models import Source

KEY = "sources.claim"
LONGEST_CLAIM = 600
"""Seconds in which somebody has to log in as before and say yes."""


class Claim(Struct, frozen=True, forbid_unknown_fields=True):
    """An arrival that may be ``user``, who has not said so yet."""

    arrival: Arrival
    user: int
    started: float


def offered(request: HttpRequest, source: Source) -> bool:
    """Whether whoever is here may come through ``source`` (its bindings)."""
    try:
        return source.enabled and admits(request, source, visitor(request)).passing
    except Undecided:
        return False


def proceed(
    request: HttpRequest,
    source: Source,
    arrival: Arrival,
    *,
    next_url: str = "",
    flow: str = "",
    connecting: int | None = None,
    names_are_fixed: bool = False,
) -> HttpResponse:
    """Go on with whoever has arrived. ``next_url`` is validated; ``flow``: slug of the login flow it began in;
    ``connecting``: the user who connects their account."""
    if not offered(request, source):
        return refuse(request, source, _("This way to log in is closed."), "Disabled, or its bindings do not pass.")
    here = visitor(request)
    if connecting is not None:
        return _connect(request, source, arrival, here, connecting)
    kept = _running(request, flow, next_url)
    decision = decide(source, arrival, names_are_fixed=names_are_fixed)
    if here is not None and not (kept is not None and kept.reauthenticate):
        if isinstance(decision, LogIn) and decision.user.pk == here.pk:
            return HttpResponseRedirect(next_url or "/")
        message = _("You are logged in as %(user)s. Log out first to log in as somebody else.")
        return refuse(request, source, message % {"user": here.username}, "Somebody else is logged in.")
    match decision:
        case LogIn(user) if user.type not in PEOPLE:
            reason = f"“{user.username}” is a service account: only programs come as it, with tokens of the source."
            return refuse(request, source, _("This account cannot log in."), reason)
        case LogIn(user):
            return _log_in(request, source, arrival, user, "connected", kept, next_url, flow)
        case Link(user):
            return _log_in(request, source, arrival, user, "linking", kept, next_url, flow)
        case Prove(user):
            return _prove(request, source, arrival, user)
        case Enrol():
            if source.enrollment_flow is None:
                message = _("Nobody here is known by your account at %(source)s.") % {"source": source.name}
                return refuse(request, source, message, "The source has no enrolment flow.")
            return _through(request, source.enrollment_flow, arrival, kept, next_url, flow)
        case Deny():
            return refuse(request, source, decision.message, decision.reason)


def proves_anew(request: HttpRequest, flow: str, next_url: str) -> bool:
    """Whether the login flow that the visitor comes from asks for a fresh proof (``prompt=login``, ``max_age``)."""
    kept = _running(request, flow, next_url)
    return kept is not None and kept.reauthenticate


def refuse(request: HttpRequest, source: Source, message: str, reason: str) -> HttpResponse:
    """The page that says no, and the event that says why."""
    events.record("login_failed", "authentik.sources", Actor.of(request), source=source, reason=reason)
    return denied_page(request, message=message, reasons=(reason,), status=403)


def claim(request: HttpRequest, source: Source) -> Claim | None:
    """What waits in this session for the yes of whoever it may be."""
    found = _claim(request.session)
    return found if found is not None and found.arrival.source == str(source.pk) else None


def forget_claim(request: HttpRequest) -> None:
    request.session.pop(KEY, None)


def confirm(request: HttpRequest, source: Source, found: Claim, user: User) -> None:
    """``user``, who has just logged in as before, says that it is theirs. Raises arrivals.NotSettled."""
    forget_claim(request)
    if user.pk != found.user:
        raise arrivals.NotSettled(_("This is not the account that was to be connected."), "Another user has logged in.")
    arrivals.settle(Actor.of(request), structs.replace(found.arrival, known="linking", user=user.pk), user)


def _log_in(
    request: HttpRequest,
    source: Source,
    arrival: Arrival,
    user: User,
    known: str,
    kept: KeptContext | None,
    next_url: str,
    flow: str,
) -> HttpResponse:
    if source.authentication_flow is None:
        return refuse(request, source, _("This way to log in is closed."), "The source has no authentication flow.")
    arrival = structs.replace(arrival, known=known, user=user.pk, username=user.username)
    return _through(request, source.authentication_flow, arrival, kept, next_url, flow)


def _through(
    request: HttpRequest, flow: Flow, arrival: Arrival, kept: KeptContext | None, next_url: str, instead_of: str
) -> HttpResponse:
    return entrance.start_from_source(request, flow, arrival, kept=kept, next_url=next_url, instead_of=instead_of)


def _prove(request: HttpRequest, source: Source, arrival: Arrival, user: User) -> HttpResponse:
    """Through the usual login, then to the question whether the two belong together."""
    flow = default_flow(Flow.Designation.AUTHENTICATION)
    if flow is None:
        return refuse(request, source, _("This account cannot be connected."), "There is no login flow to prove it in.")
    request.session[KEY] = msgspec.json.encode(Claim(arrival, user.pk, time.time())).decode()
    here = reverse("own-source-confirm", args=[source.slug])
    return entrance.start(request, flow, next_url=here, context=PlanContext(continuation=here))


def _connect(
    request: HttpRequest, source: Source, arrival: Arrival, here: User | None, connecting: int
) -> HttpResponse:
    if here is None or here.pk != connecting:
        return refuse(request, source, _("Log in first."), "Whoever began to connect is not logged in any more.")
    try:
        actor = Actor.of(request)
        arrivals.connect_own(actor, structs.replace(arrival, known="linking", user=here.pk), here)
    except arrivals.NotSettled as error:
        return refuse(request, source, str(error), error.reason)
    return HttpResponseRedirect(reverse("own-sources"))


def _running(request: HttpRequest, flow: str, next_url: str) -> KeptContext | None:
    plan = PlanStore(request.session).find(flow, next_url) if flow else None
    return plan.context if plan is not None else None


def _claim(session: SessionBase) -> Claim | None:
    text = session.get(KEY, "")
    try:
        found = msgspec.json.decode(text, type=Claim) if isinstance(text, str) and text else None
    except msgspec.DecodeError:
        return None
    return found if found is not None and found.started >= time.time() - LONGEST_CLAIM else None
