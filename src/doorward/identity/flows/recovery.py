"""A recovery link that an administrator hands to somebody in person, instead of a letter."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from django.db import transaction

from doorward.identity.brands.queries import current_brand
from doorward.identity.directory.limits import require_unlimited
from doorward.identity.directory.models import User
from doorward.identity.directory.notices import user_written
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.flows.plan import KeptContext, Pending, Plan, PlanContext, Step, new_plan_id
from doorward.identity.mail import links
from doorward.identity.stages.models import EmailStage

LIFE = timedelta(minutes=30)


def link_for(actor: Actor, user: User) -> str | None:
    """A link for ``user``, on the record; None where no recovery flow has a letter that it could stand for.

    It leads behind the e-mail stage: whoever hands it over vouches for the person instead of the mailbox. What comes
    after it, a second factor for example, is asked as usual.
    """
    user_written.send(User, actor=actor, user=user)
    require_unlimited(actor)
    fit = Flow.objects.filter(designation=Flow.Designation.RECOVERY, stages__kind=EmailStage.KIND)
    # The brand's own first.
    own = current_brand().flow_recovery
    flow = (fit.filter(pk=own.pk).first() if own else None) or fit.order_by("slug").first()
    if flow is None:
        return None
    bindings = list(FlowStageBinding.objects.filter(flow=flow).select_related("stage").order_by("order", "pk"))
    steps = tuple(Step(kind=binding.stage.kind, binding=str(binding.pk)) for binding in bindings)
    letter = max(place for place, step in enumerate(steps) if step.kind == EmailStage.KIND)
    plan = Plan(
        id=new_plan_id(),
        flow=flow.slug,
        next="",
        started=0.0,
        steps=steps,
        context=KeptContext.of(PlanContext()),
        position=letter + 1,
        pending=Pending(user.username, user.pk),
        proven=user.pk,
    )
    with transaction.atomic():
        url = links.make(user, flow.slug, msgspec.json.encode(plan).decode(), LIFE, by_hand=True)
        events.record("secret_view", "authentik.core", actor, secret_of=user)
    return url
