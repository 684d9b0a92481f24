"""Template tags of the pages behind the login."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.core.paginator import Page
from django.template.context import RequestContext
from django.utils import timezone
from django.utils.timesince import timesince

register = template.Library()


@register.inclusion_tag("admin/parts/pages.html", takes_context=True)
def page_links(context: RequestContext, rows: Page[Any]) -> dict[str, Any]:
    """Links to the other pages of a list, keeping the rest of the query."""
    paginator: Any = rows.paginator
    numbers = paginator.get_elided_page_range(rows.number, on_each_side=1, on_ends=1)
    return {"rows": rows, "range": list(numbers), "request": context["request"]}


@register.filter
def ago(moment: datetime) -> str:
    """How long ago, in the words of a person."""
    return "just now" if timezone.now() - moment < timedelta(minutes=1) else f"{timesince(moment)} ago"


@register.filter
def in_words(value: object) -> str:
    """A value out of an event: lists as enumerations, nothing as a dash, objects as JSON."""
    match value:
        case None | "" | [] | {}:
            return "—"
        case bool():
            return "yes" if value else "no"
        case list() if all(isinstance(each, str | int) for each in value):
            return ", ".join(map(str, value))
        case list() | dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)
