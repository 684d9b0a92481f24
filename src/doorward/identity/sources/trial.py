"""What was found when a source was tried: sentences, each good, doubtful or bad."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    kind: Literal["good", "warn", "bad"]
    text: str
    """For administrators; no secret in it."""
