"""The one error of this room."""

from __future__ import annotations


class SourceFailed(Exception):
    """Nobody logs in through the source this time. The text is for administrators; it holds no secret and no token."""
