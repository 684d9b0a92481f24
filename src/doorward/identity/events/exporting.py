"""Events as text for other programs: JSON Lines, or CSV for spreadsheets; streamed, however many there are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet

from doorward.identity.events.models import Event
from doorward.identity.events.wanted import Wanted

FORMATS = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
AT_ONCE = 500
COLUMNS = ("number", "created", "action", "app", "username", "on_behalf_of", "client_ip", "about", "pk", "context")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(wanted: Wanted, kind: str) -> Iterator[str]:
    """Newest first, a line each; CSV with a header."""
    return written(wanted.events(), kind)


def written(events: QuerySet[Event], kind: str) -> Iterator[str]:
    """``lines`` of these events."""
    return (_csv if kind == "csv" else _jsonl)(_each(events))


def _each(events: QuerySet[Event]) -> Iterator[Event]:
    """In short queries: a reader that is slow must not hold a transaction open."""
    found = events.order_by("-created", "-pk")
    last: Event | None = None
    while True:
        rest = found
        if last is not None:
            rest = found.filter(created__lte=last.created).exclude(created=last.created, pk__gte=last.pk)
        batch = list(rest[:AT_ONCE])
        yield from batch
        if len(batch) < AT_ONCE:
            return
        last = batch[-1]


def _jsonl(events: Iterable[Event]) -> Iterator[str]:
    for event in events:
        yield json.dumps(described(event), ensure_ascii=True, separators=(",", ":")) + "\n"


def described(event: Event) -> dict[str, Any]:
    """All of an event, with what an own verification of it needs."""
    return {
        "pk": str(event.pk),
        "number": event.number,
        "created": event.created.isoformat(),
        "expires": event.expires.isoformat(),
        "action": event.action,
        "app": event.app,
        "user": event.user,
        "client_ip": event.client_ip,
        "context": event.context,
        "brand": event.brand,
        "proof": event.proof,
    }


def _csv(events: Iterable[Event]) -> Iterator[str]:
    yield _row(COLUMNS)
    for event in events:
        other = event.user.get("on_behalf_of") or {}
        about = event.context.get("model")
        yield _row(
            (
                "" if event.number is None else str(event.number),
                event.created.isoformat(),
                event.action,
                event.app,
                str(event.user.get("username", "")),
                str(other.get("username", "")) if isinstance(other, dict) else "",
                event.client_ip or "",
                str(about.get("name", "")) if isinstance(about, dict) else "",
                str(event.pk),
                json.dumps(event.context, ensure_ascii=True, sort_keys=True),
            )
        )


def _row(cells: Iterable[str]) -> str:
    """A cell that a spreadsheet would take for a formula is made a text: strangers choose the names that they fail to
    log in with."""
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return line.getvalue()
