"""The plot above the events: bars over time, as SVG that the server draws, and the same as a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from doorward.identity.events.models import Event
from doorward.identity.events.volume import bars

WIDTH, HEIGHT = 960, 120
"""Units of the drawing; it is scaled to the page."""


@dataclass(frozen=True, slots=True)
class Column:
    """One bar: its place in the drawing, and what it stands for."""

    since: datetime
    count: int
    worrying: int
    x: str
    width: str
    y: str
    height: str
    bad_y: str
    bad_height: str


@dataclass(frozen=True, slots=True)
class Plot:
    columns: list[Column]
    total: int
    worrying: int
    highest: int
    by_day: bool
    """Whether a step is a day or longer: then the time of day is not worth saying."""
    since: datetime
    until: datetime
    width: int = WIDTH
    height: int = HEIGHT


def drawn(events: QuerySet[Event], since: datetime, until: datetime) -> Plot:
    """The plot of ``events`` between the two."""
    step, found = bars(events, since, until)
    highest = max((bar.count for bar in found), default=0)
    wide = WIDTH / max(len(found), 1)
    columns = []
    for index, bar in enumerate(found):
        tall, bad = (HEIGHT * count / max(highest, 1) for count in (bar.count, bar.worrying))
        places = (index * wide + wide * 0.1, wide * 0.8, HEIGHT - tall, tall, HEIGHT - bad, bad)
        columns.append(Column(bar.since, bar.count, bar.worrying, *(f"{place:.2f}" for place in places)))
    return Plot(
        columns,
        sum(bar.count for bar in found),
        sum(bar.worrying for bar in found),
        highest,
        step >= timedelta(days=1),
        since,
        until,
    )
