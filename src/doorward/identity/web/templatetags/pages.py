"""Template tags of the pages behind the login."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django import template
from django.core.paginator import Page
from django.template.context import RequestContext
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()

_MONTH, _YEAR = 30, 365
"""Days, near enough."""


@register.inclusion_tag("admin/parts/pages.html", takes_context=True)
def page_links(context: RequestContext, rows: Page[Any]) -> dict[str, Any]:
    """Links to the other pages of a list, keeping the rest of the query."""
    paginator: Any = rows.paginator
    numbers = paginator.get_elided_page_range(rows.number, on_each_side=1, on_ends=1)
    return {"rows": rows, "range": list(numbers), "request": context["request"]}


@register.filter
def ago(moment: datetime) -> str:
    """How long ago, in the words of a person: the largest unit of which there is a whole one."""
    minutes = int((timezone.now() - moment).total_seconds() // 60)
    hours, days = minutes // 60, minutes // (24 * 60)
    if minutes < 1:
        return _("just now")
    if hours < 1:
        return ngettext("%(n)s minute ago", "%(n)s minutes ago", minutes) % {"n": minutes}
    if days < 1:
        return ngettext("%(n)s hour ago", "%(n)s hours ago", hours) % {"n": hours}
    if days < _MONTH * 2:
        return ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days}
    if days < _YEAR * 2:
        return ngettext("%(n)s month ago", "%(n)s months ago", days // _MONTH) % {"n": days // _MONTH}
    return ngettext("%(n)s year ago", "%(n)s years ago", days // _YEAR) % {"n": days // _YEAR}


@register.filter
def in_words(value: object) -> str:
    """A value out of an event: lists as enumerations, nothing as a dash, objects as JSON."""
    if value in (None, "", [], {}):  # as a pattern {} would match every object
        return "—"
    match value:
        case bool():
            return "yes" if value else "no"
        case list() if all(isinstance(each, str | int) for each in value):
            return ", ".join(map(str, value))
        case list() | dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)
