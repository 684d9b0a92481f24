"""What is done with events beside: verified, and deleted when their time is over.

They are sealed by whoever follows them (``notifications.following``): once a minute, in one go.
"""

from __future__ import annotations

from datetime import timedelta

from doorward.identity.chores.book import Chore
from doorward.identity.events import retention, watching

CHORES = (
    Chore("events.retire", timedelta(hours=1), lambda: void(retention.retire())),
    Chore("events.verify", timedelta(days=1), lambda: void(watching.look()), longest=timedelta(hours=2)),
)


def void(result: object) -> None:
    """A chore has no result."""
