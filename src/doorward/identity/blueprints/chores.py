"""Every hour, and when a file has changed (``watching``): what is new is applied, what failed is tried again."""

from __future__ import annotations

from datetime import timedelta

from doorward.identity.blueprints.actions import apply_changed
from doorward.identity.chores.book import Chore

NAME = "blueprints"


def _run() -> None:
    apply_changed()


CHORES = (Chore(NAME, timedelta(hours=1), _run),)
