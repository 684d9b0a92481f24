"""Does a policy speak of this event? Notification rules are judged by it, by policies of any kind.

An event matcher that asks for nothing matches every event; what it does ask for must all be so.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping

from doorward.identity.events.models import Event
from doorward.identity.policies.event_query import parse
from doorward.identity.policies.models import EventMatcherPolicy


def facts_of(event: Event) -> dict[str, object]:
    """An event as plain data, which is how policies know it: their ``context["event"]``."""
    context = event.context if isinstance(event.context, dict) else {}
    return {
        "pk": str(event.pk),
        "action": event.action,
        "app": event.app,
        "client_ip": event.client_ip,
        "created": event.created.isoformat() if event.created else None,
        "user": event.user,
        "brand": event.brand,
        "context": context,
    }


def speaks_of(policy: EventMatcherPolicy, facts: Mapping[str, object]) -> bool:
    """Whether everything that ``policy`` asks for is so. Raises QueryInvalid for a query of a larger language."""
    wanted: tuple[tuple[str, Callable[[], bool]], ...] = (
        (policy.action, lambda: policy.action == facts.get("action")),
        (policy.app, lambda: policy.app == facts.get("app")),
        (policy.model, lambda: policy.model.lower() == _model_in(facts)),
        (policy.client_ip, lambda: _comes_from(policy.client_ip, facts.get("client_ip"))),
        (policy.query, lambda: parse(policy.query)(facts)),
    )
    return all(is_so() for asked, is_so in wanted if asked)


def _model_in(facts: Mapping[str, object]) -> str:
    """``authentik_core.user`` of an event about an object."""
    context = facts.get("context")
    model = context.get("model") if isinstance(context, Mapping) else None
    return f"{model.get('app')}.{model.get('model_name')}".lower() if isinstance(model, Mapping) else ""


def _comes_from(wanted: str, address: object) -> bool:
    """An address, or a network that it is in."""
    try:
        return ipaddress.ip_address(str(address)) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False
