"""Events: what happened, newest first, narrowed, drawn over time, as a file; each in full; and the chain's state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import cast
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from doorward.identity.events import chain, exporting, places
from doorward.identity.events.models import Event, Link
from doorward.identity.events.sentences import ACTION_NAMES
from doorward.identity.events.wanted import SEARCHED, Wanted
from doorward.identity.languages.lazily import gettext_lazy
from doorward.identity.web.pages.access import administrators
from doorward.identity.web.pages.answers import show_admin
from doorward.identity.web.pages.event_plot import drawn
from doorward.identity.web.pages.happenings import told
from doorward.identity.web.pages.listing import AT_ONCE, LONGEST_SEARCH, Choice, search_text
from doorward.identity.web.pages.navigation import ROOT

SECTION = f"{ROOT}events/"
ACTIONS = {"": gettext_lazy("Everything"), **ACTION_NAMES}
SPANS = {
    "": gettext_lazy("Any time"),
    "1h": gettext_lazy("The last hour"),
    "24h": gettext_lazy("The last day"),
    "7d": gettext_lazy("The last week"),
    "30d": gettext_lazy("The last month"),
    "365d": gettext_lazy("The last year"),
}
LENGTHS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "365d": timedelta(days=365),
}
DRAWN = timedelta(days=30)
"""Of a list without a beginning, the plot shows so much."""
COUNTED = 10_000
"""More are not counted for the page numbers: whoever looks for one event narrows the list."""


class _Counted(Paginator):  # type: ignore[type-arg] # not generic at run time
    """Pages of a list that may have millions of rows."""

    @cached_property
    def count(self) -> int:
        found = self.object_list
        assert isinstance(found, QuerySet)
        return found[: COUNTED + 1].count()


@require_GET
@administrators
def events(request: HttpRequest) -> HttpResponse:
    """``/if/admin/events/``, narrowed by action, time, text, user, part and address."""
    action = _choice(request, "action", _("What happened"), ACTIONS)
    span = _choice(request, "span", _("When"), SPANS)
    wanted = _wanted(request, action.value, span.value)
    found = wanted.events()
    rows: Page[Event] = _Counted(found, AT_ONCE).get_page(request.GET.get("page"))
    now = timezone.now()
    until = wanted.until or now
    fields = {name: getattr(wanted, name) for name in ("username", "app", "client_ip")}
    days = {name: _day(request, name) for name in ("from", "to")}
    return show_admin(
        request,
        "events.html",
        section=SECTION,
        title="Events",
        rows=rows,
        happenings=[told(event) for event in rows],
        query=wanted.text,
        filters=[action, span],
        fields=fields,
        since_day=days["from"].isoformat() if days["from"] else "",
        until_day=days["to"].isoformat() if days["to"] else "",
        narrowed=any(fields.values()) or any(days.values()),
        plot=drawn(found, max(wanted.since or until - DRAWN, until - timedelta(days=366)), until),
        searched=SEARCHED if wanted.is_searched and wanted.indexed()[SEARCHED : SEARCHED + 1].exists() else 0,
        many=COUNTED if rows.paginator.count > COUNTED else 0,
        exported=request.GET.urlencode(),
    )


@require_GET
@administrators
def export(request: HttpRequest) -> HttpResponse:
    """``/if/admin/events/export/``: what the page would show, as a file."""
    action = _choice(request, "action", "", ACTIONS)
    span = _choice(request, "span", "", SPANS)
    kind = "csv" if request.GET.get("format") == "csv" else "jsonl"
    lines = exporting.lines(_wanted(request, action.value, span.value), kind)
    response = StreamingHttpResponse(lines, content_type=exporting.FORMATS[kind])
    response["Content-Disposition"] = f'attachment; filename="events.{kind}"'
    return cast(HttpResponse, response)  # streamed: for whoever wraps views, an answer like any other


@require_GET
@administrators
def record(request: HttpRequest) -> HttpResponse:
    """``/if/admin/events/record/``: whether what is written down can be believed."""
    begun = chain.beginning()
    number, mac = chain.head(begun)
    newest = Link.objects.filter(number=number).first()
    return show_admin(
        request,
        "record.html",
        section=SECTION,
        title=_("Seal of the record"),
        crumbs=[(_("Events"), SECTION)],
        chain=begun,
        number=number,
        mac=mac,
        newest=newest,
        waiting=Event.objects.filter(number=None).count(),
        kept=Link.objects.count(),
    )


def _choice(request: HttpRequest, name: str, label: str, choices: Mapping[str, object]) -> Choice:
    """The words in the language of this request."""
    return Choice.read(request, name, label, {value: str(text) for value, text in choices.items()})


def _wanted(request: HttpRequest, action: str, span: str) -> Wanted:
    since = timezone.now() - LENGTHS[span] if span else None
    first, last = _day(request, "from"), _day(request, "to")
    if first is not None:
        start = datetime.combine(first, time.min, UTC)
        since = max(since, start) if since is not None else start
    return Wanted(
        action=action,
        username=_text(request, "username"),
        app=_text(request, "app"),
        client_ip=_text(request, "client_ip"),
        text=search_text(request),
        since=since,
        until=datetime.combine(last, time.max, UTC) if last is not None else None,
    )


def _text(request: HttpRequest, name: str) -> str:
    text = request.GET.get(name, "").replace("\0", "").strip()[:LONGEST_SEARCH]
    return text.encode("utf-8", "ignore").decode()


def _day(request: HttpRequest, name: str) -> date | None:
    try:
        return date.fromisoformat(request.GET.get(name, "")[:10])
    except ValueError:
        return None


@require_GET
@administrators
def event(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """``/if/admin/events/<uuid>/``"""
    shown = get_object_or_404(Event, pk=uuid)
    happening = told(shown)
    context = dict(shown.context)
    diff = context.pop("diff", {})
    facts = context.pop("http_request", None)
    agent = str(facts.get("user_agent", "")) if isinstance(facts, dict) else ""
    return show_admin(
        request,
        "event.html",
        section=SECTION,
        title=happening.text,
        crumbs=[(_("Events"), SECTION)],
        event=shown,
        happening=happening,
        diff=diff if isinstance(diff, dict) else {},
        request_facts=facts,
        device=places.device(agent) if agent else "",
        place=places.in_words(context),
        context_text=json.dumps(context, indent=2, ensure_ascii=False, sort_keys=True) if context else "",
    )
