"""The inspector below a page of a flow, for whoever watches it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template
from django.template.context import RequestContext

from doorward.identity.flows.inspector import inspection_of

register = template.Library()

WORDS = {
    "planned": "The plan was made",
    "asked": "Asked",
    "passed": "Passed",
    "left_out": "Left out: it is not for this visitor",
    "wrong": "A wrong answer",
    "refused": "Refused",
    "restarted": "Started over",
    "elsewhere": "Left for elsewhere",
    "finished": "The flow is through",
}


@register.inclusion_tag("admin/parts/inspector.html", takes_context=True)
def inspector(context: RequestContext) -> dict[str, Any]:
    """Nothing, unless the page is watched by somebody who may."""
    request = context.get("request")
    return {"inspection": inspection_of(request) if request is not None else None}


@register.filter
def happened(what: str) -> str:
    """What a line of the journal is about."""
    return WORDS.get(what, what)


@register.filter
def clock(seconds: float) -> datetime:
    """A moment in Unix seconds."""
    return datetime.fromtimestamp(seconds, tz=UTC)
