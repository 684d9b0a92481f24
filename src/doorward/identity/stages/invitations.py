"""Invitations: found by their link, used up by the account that comes out of them.

A link is ``/if/flow/<slug>/?itoken=<uuid>``. Looking at it changes nothing, because programs that scan mail look at it
too; writing the new user uses it up, by the one statement that deletes its row (S-517).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.flows.models import Flow
from doorward.identity.stages.models import Invitation, InvitationStage

PARAMETER = "itoken"


def invite(actor: Actor, **fields: Any) -> Invitation:
    """Raises ValidationError."""
    invitation = Invitation(**fields)
    invitation.full_clean()
    with transaction.atomic():
        invitation.save(force_insert=True)
        events.created(actor, invitation)
    return invitation


def take_back(actor: Actor, invitation: Invitation) -> None:
    """Its link opens nothing any more."""
    with transaction.atomic():
        events.deleted(actor, invitation)
        invitation.delete()


class Void(Exception):
    """The invitation is not good any more."""


def asked_for(request: HttpRequest) -> str:
    """What the link says: in the page's own address, or in the executor's ``query``."""
    own = request.GET.get(PARAMETER, "")
    if own:
        return own
    try:
        return parse_qs(request.GET.get("query", "")[:8000].removeprefix("?"), max_num_fields=100)[PARAMETER][0]
    except (KeyError, ValueError):
        return ""


def good(text: str, flow: Flow) -> Invitation | None:
    """The invitation with this key, if it opens ``flow`` now."""
    try:
        key = UUID(text)
    except ValueError:
        return None
    invitation = Invitation.objects.filter(pk=key).first()
    if invitation is None or invitation.is_expired or invitation.flow_id not in (None, flow.pk):
        return None
    return invitation


def use(actor: Actor, text: str, flow: Flow) -> Invitation:
    """Use it, within the transaction that writes the user. Raises Void."""
    with transaction.atomic():
        invitation = good(text, flow)
        if invitation is None:
            raise Void
        if invitation.single_use and not Invitation.objects.filter(pk=invitation.pk).delete()[0]:
            raise Void  # somebody else was faster
        events.record("invitation_used", "authentik.stages.invitation", actor, invitation=invitation.name)
    return invitation


def fixed_by(invitation: Invitation) -> dict[str, str | bool | int | float]:
    """What it says about the new user, by the keys of prompts; ``attributes`` may be nested."""
    return dict(_flat("", invitation.fixed_data))


def _flat(prefix: str, data: dict[str, object]) -> Iterator[tuple[str, str | bool | int | float]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        elif isinstance(value, str | bool | int | float):
            yield f"{prefix}{key}", value


def link_of(invitation: Invitation) -> str:
    """Where whoever was invited begins; empty when no flow has a stage for it."""
    flow = invitation.flow or (
        Flow.objects.filter(designation=Flow.Designation.ENROLLMENT, stages__kind=InvitationStage.KIND)
        .order_by("slug")
        .first()
    )
    if flow is None:
        return ""
    return f"{settings.EXTERNAL_URL}{reverse('flow-page', args=[flow.slug])}?{PARAMETER}={invitation.pk}"
