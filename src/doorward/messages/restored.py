"""What beginning anew after a backup came to: between the process that does it and the one that tells."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Pending(Struct, frozen=True):
    """A database from a backup is to come; its epoch begins when the program starts with it."""

    since: datetime
    """When the backup was made."""
    keep_tokens: bool = False


class Ended(Struct, frozen=True):
    """What the operator is told."""

    since: datetime
    """What happened after that is not in the database."""
    counts: dict[str, int]
    """What was ended, by its name; only what there was."""
    tokens: tuple[str, ...]
    """API tokens, app passwords and registration tokens that were alive: ``identifier (user)``."""
    kept: bool
    """Whether they still are."""
    lost_events: int
    """Events of which the state folder knows, and the database does not."""
