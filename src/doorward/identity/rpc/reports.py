"""Make an event of what the data plane found wrong with somebody's set-up (``contracts/outpost.md`` section 12.4)."""

from __future__ import annotations

import ipaddress

from django.db import transaction

from doorward.identity.applications.models import Provider
from doorward.identity.events import actions as events
from doorward.identity.events.actor import Actor
from doorward.identity.rpc.answer import DONE, Answer
from doorward.messages.sessions import ReportMisconfiguration


def report(question: ReportMisconfiguration) -> Answer:
    """A ``configuration_error`` event; the reporter has already held it to one a minute per message."""
    provider = Provider.objects.filter(pk=question.provider).first() if question.provider is not None else None
    with transaction.atomic():
        events.record(
            "configuration_error",
            "authentik.providers.proxy",
            Actor(user=None, client_ip=_address(question.client_ip), request_id=question.request_id),
            message=question.message,
            provider=provider,
            url=question.url,
            count=question.count,
            **({"request_id": question.request_id} if question.request_id else {}),
        )
    return DONE


def _address(claimed: str) -> str | None:
    try:
        return str(ipaddress.ip_address(claimed))
    except ValueError:
        return None
