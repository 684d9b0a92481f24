"""Events: what happened, newest first, and each in full."""

from __future__ import annotations

import json
from uuid import UUID

from django.core.paginator import Page
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from doorward.identity.events.models import Event
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import show_admin
from doorward.identity.web.pages.happenings import WORDS, Happening, told
from doorward.identity.web.pages.listing import Choice, page_of, search_text
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}events/"
ACTIONS = {"": "Everything", **{name: name.replace("_", " ").capitalize() for name in WORDS}}


@require_GET
@administrators
def events(request: HttpRequest) -> HttpResponse:
    """``/if/admin/events/``, narrowed by ``?action=`` and ``?q=`` (user name, address or name of the object)."""
    query, action = search_text(request), Choice.read(request, "action", "What happened", ACTIONS)
    found = Event.objects.all()
    if action.value:
        found = found.filter(action=action.value)
    if query:
        found = found.filter(
            Q(user__username__icontains=query)
            | Q(context__username__icontains=query)
            | Q(context__model__name__icontains=query)
            | Q(context__authorized_application__name__icontains=query)
            | Q(context__application__name__icontains=query)
            | Q(client_ip__icontains=query)
        )
    rows: Page[Event] = page_of(request, found)
    lines: list[Happening] = [told(event) for event in rows]
    return show_admin(
        request,
        "events.html",
        section=SECTION,
        title="Events",
        rows=rows,
        happenings=lines,
        query=query,
        filters=[action],
    )


@require_GET
@administrators
def event(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/events/<uuid>/``"""
    shown = get_object_or_404(Event, pk=uuid)
    happening = told(shown)
    context = dict(shown.context)
    diff = context.pop("diff", {})
    return show_admin(
        request,
        "event.html",
        section=SECTION,
        title=f"{happening.who} {happening.verb} {happening.subject}".strip(),
        crumbs=[("Events", SECTION)],
        event=shown,
        happening=happening,
        diff=diff if isinstance(diff, dict) else {},
        request_facts=context.pop("http_request", None),
        context_text=json.dumps(context, indent=2, ensure_ascii=False, sort_keys=True) if context else "",
    )
