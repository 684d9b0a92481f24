"""Judges bindings for a visitor who may be nobody yet, and turns a failing judge into a refusal (S-502)."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from doorward.identity.directory.models import User
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.flows import journal
from doorward.identity.flows.plan import Plan
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.models import PolicyTarget
from doorward.identity.policies.queries import Verdict, verdict


class Undecided(Exception):
    """Judging raised an exception; an event says so. Whoever asked must refuse, never leave a stage out."""


def admits(
    request: HttpRequest, target: PolicyTarget, user: User | None, context: Mapping[str, object] | None = None
) -> Verdict:
    """The verdict on ``user``, or on a stranger, with what the flow knows so far. Raises Undecided."""
    asked = Asked.by(request, context)
    journal.hear(request, target, user, asked)
    try:
        judged = verdict(target, user or AnonymousUser(), asked)
    except Exception as error:
        events.record(
            "policy_exception", "authentik.flows", Actor.of(request), target=str(target.pk), error=repr(error)[:500]
        )
        raise Undecided(str(target.pk)) from error
    if judged.undecided:
        raise Undecided(str(target.pk))
    return judged


def known(plan: Plan) -> dict[str, object]:
    """What policies may ask about a flow; no secret is among it."""
    arrival = plan.context.arrival
    return {
        "prompt_data": dict(plan.prompt_data),
        "auth_methods": list(plan.methods),
        "application": plan.context.application or None,
        "flow": plan.flow,
        "is_sso": arrival is not None,
        "source": arrival.slug if arrival is not None else None,
        "oauth_userinfo": dict(arrival.info) if arrival is not None else {},
        "pending_user_identifier": plan.pending.identifier if plan.pending else "",
    }
