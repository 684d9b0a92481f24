"""Template tags of the pages behind the login."""

from __future__ import annotations

from typing import Any

from django import template
from django.core.paginator import Page
from django.template.context import RequestContext

register = template.Library()


@register.inclusion_tag("admin/parts/pages.html", takes_context=True)
def page_links(context: RequestContext, rows: Page[Any]) -> dict[str, Any]:
    """Links to the other pages of a list, keeping the rest of the query."""
    paginator: Any = rows.paginator
    numbers = paginator.get_elided_page_range(rows.number, on_each_side=1, on_ends=1)
    return {"rows": rows, "range": list(numbers), "request": context["request"]}
