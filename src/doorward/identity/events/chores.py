"""What is done with events beside: sealed, verified, and deleted when their time is over."""

from __future__ import annotations

from datetime import timedelta

from doorward.identity.chores.book import Chore
from doorward.identity.events import retention, sealing, watching

CHORES = (
    Chore("events.seal", timedelta(minutes=1), lambda: void(sealing.seal())),
    Chore("events.retire", timedelta(hours=1), lambda: void(retention.retire())),
    Chore("events.verify", timedelta(days=1), lambda: void(watching.look()), longest=timedelta(hours=2)),
)


def void(result: object) -> None:
    """A chore has no result."""
