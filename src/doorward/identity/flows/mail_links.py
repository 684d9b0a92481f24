"""``/if/flow/<slug>/?flow_token=…``: back into a flow through the link in a letter.

A GET shows whose link it is and a button; only the POST uses it up (S-517). What was kept of the plan then goes on in
the session of whoever pressed the button, under a new id; it may be another browser than the one that began it.
"""

from __future__ import annotations

import time

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext_noop
from msgspec import structs

from doorward.identity.directory import actions as directory
from doorward.identity.events.actor import Actor
from doorward.identity.flows import planner
from doorward.identity.flows.denied_page import denied_page
from doorward.identity.flows.models import Flow
from doorward.identity.flows.next_url import page_path
from doorward.identity.flows.plan import Plan, new_plan_id
from doorward.identity.flows.plan_store import PlanStore
from doorward.identity.mail import links
from doorward.identity.mail.links import PARAMETER
from doorward.identity.mail.models import MailLink

GONE = gettext_noop(
    "This link is not good any more: it was used, is too old, or there is a newer one. Ask for another."
)

ELSEWHERE = gettext_noop("Open this link in the browser in which you began.")


def through_link(request: HttpRequest, flow: Flow) -> HttpResponse:
    """The page behind the link, and what its button does."""
    token = request.GET.get(PARAMETER, "")
    link = links.look(token, flow.slug)
    plan = _plan(link, flow) if link is not None else None
    if link is None or plan is None:
        return denied_page(request, message=GONE, status=400)
    if (refused := _refused(request, flow, plan)) is not None:
        return refused
    if request.method != "POST":
        return render(request, "flows/mail_link.html", {"flow": flow, "link": link})
    opened = links.use(token, flow.slug)
    if opened is None:
        return denied_page(request, message=GONE, status=400)
    if opened.activates and not opened.user.is_active:
        directory.update_user(Actor.of(request).acting_as(opened.user), opened.user, is_active=True)
    PlanStore(request.session).keep(structs.replace(plan, id=new_plan_id(), started=time.time()))
    response = HttpResponseRedirect(page_path(flow.slug, plan.next))
    response.status_code = 303
    return response


def _plan(link: MailLink, flow: Flow) -> Plan | None:
    try:
        plan = msgspec.json.decode(link.plan, type=Plan)
    except msgspec.DecodeError:  # of another version of this program
        return None
    return plan if plan.flow == flow.slug and plan.proven == link.user_id else None


def _refused(request: HttpRequest, flow: Flow, plan: Plan) -> HttpResponse | None:
    """Said before the link is used up, so that it still works when that is put right."""
    refusal = planner.refusal(request, flow, plan)
    if refusal is not None:
        return denied_page(request, message=refusal.message, reasons=refusal.reasons, status=403)
    running = PlanStore(request.session).find(plan.flow, plan.next)
    # What was proved in one browser (a password, a second factor) does not follow the letter into another.
    if plan.methods and (running is None or running.id != plan.id):
        return denied_page(request, message=ELSEWHERE, status=400)
    return None
