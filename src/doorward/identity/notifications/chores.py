"""What is done with notifications beside."""

from __future__ import annotations

from datetime import timedelta

from doorward.identity.chores.book import Chore
from doorward.identity.notifications import delivering, following


def follow() -> None:
    """Seals too: rules are asked about what has its place in the chain."""
    following.follow()


def deliver() -> None:
    """Whatever waits."""
    delivering.deliver()


CHORES = (
    Chore(following.FOLLOW, timedelta(minutes=1), follow, needed=following.has_news),
    Chore(following.DELIVER, timedelta(minutes=1), deliver, needed=delivering.is_due),
)
