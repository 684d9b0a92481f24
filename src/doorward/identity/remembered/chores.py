"""On PostgreSQL every transaction that writes configuration leaves a row: now and then the old ones go.

That changes the mark, so everybody reads their configuration once more.
"""

from __future__ import annotations

from datetime import timedelta

from doorward.identity.chores.book import Chore
from doorward.identity.remembered.models import Mark

MOST = 200
"""Rows that are summed up in a few microseconds."""
KEPT = 20


def _are_many() -> bool:
    return Mark.objects.count() > MOST


def forget_old() -> None:
    """Remove all but the latest few."""
    latest = Mark.objects.order_by("-id").values_list("id", flat=True)[:KEPT]
    Mark.objects.exclude(pk__in=list(latest)).delete()


CHORES = (Chore("remembered.marks", timedelta(minutes=10), forget_old, needed=_are_many),)
