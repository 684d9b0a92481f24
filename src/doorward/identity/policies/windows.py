"""Windows of time: days of the week between two times of the day, in a time zone, and when they open or shut next."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

from doorward.identity.policies.models import TimeWindowPolicy
from doorward.identity.policies.models.circumstances import zone_of


def is_open(policy: TimeWindowPolicy, now: datetime) -> bool:
    """Whether ``now`` lies in the window. Raises ZoneInfoNotFoundError (a KeyError) for a zone that is gone."""
    here = now.astimezone(zone_of(policy.timezone))
    # One that began yesterday may still be open.
    return any(begin <= here < end for begin, end in _windows(policy, here.date() - timedelta(days=1), 2))


def next_edge(policy: TimeWindowPolicy, now: datetime) -> datetime | None:
    """The first moment after ``now`` at which the window opens or shuts; None where it never does."""
    here = now.astimezone(zone_of(policy.timezone))
    windows = _windows(policy, here.date() - timedelta(days=1), 10)
    edges = [edge for window in windows for edge in window if edge > here]
    return min(edges, default=None)


def _windows(policy: TimeWindowPolicy, first: date, number: int) -> list[tuple[datetime, datetime]]:
    """The windows that begin on ``number`` days from ``first`` on."""
    zone = zone_of(policy.timezone)
    found = []
    for day in (first + timedelta(days=n) for n in range(number)):
        if day.weekday() in policy.days:
            ends = day if policy.end > policy.start else day + timedelta(days=1)
            found.append((_at(day, policy.start, zone), _at(ends, policy.end, zone)))
    return found


def _at(day: date, when: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, when, zone)
