"""How much happened when: counts by bucket of time, for plots and for clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDay, TruncHour, TruncMinute

from doorward.identity.events.models import Event

STEPS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=7),
    timedelta(days=30),
)
MOST_BARS = 48
WORRYING = frozenset(
    {
        "login_failed",
        "suspicious_request",
        "configuration_error",
        "policy_exception",
        "property_mapping_exception",
        "system_exception",
        "system_task_exception",
    }
)
"""Drawn apart from the rest."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What happened in one step of time."""

    since: datetime
    count: int
    worrying: int
    """Among ``count``."""


def bars(events: QuerySet[Event], since: datetime, until: datetime) -> tuple[timedelta, list[Bar]]:
    """The step, and one bar for each from ``since`` to ``until``."""
    step = next((each for each in STEPS if (until - since) / each <= MOST_BARS), STEPS[-1])
    truncated = TruncDay if step >= timedelta(days=1) else TruncHour if step >= timedelta(hours=1) else TruncMinute
    rows = (
        events.filter(created__gte=since, created__lte=until)
        .order_by()
        .annotate(moment=truncated("created", tzinfo=UTC))
        .values_list("moment", "action")
        .annotate(count=Count("pk"))
    )
    all_of, bad = Counter[datetime](), Counter[datetime]()
    for moment, action, count in rows:
        start = _start(moment, step)
        all_of[start] += count
        if action in WORRYING:
            bad[start] += count
    return step, [Bar(start, all_of[start], bad[start]) for start in _starts(since, until, step)]


def _start(moment: datetime, step: timedelta) -> datetime:
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)


def _starts(since: datetime, until: datetime, step: timedelta) -> Iterable[datetime]:
    start = _start(since, step)
    while start <= until:
        yield start
        start += step
