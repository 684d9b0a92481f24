"""How far a command has come, once that has taken two seconds."""

from __future__ import annotations

import time

import click

PATIENCE = 2.0
"""Seconds until the first line, and between two of them."""


class Progress:
    """Called with how much was done, and of how much."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()

    def __call__(self, done: int, of: int) -> None:
        now = time.monotonic()
        if now - self._began < PATIENCE or now - self._last < PATIENCE:
            return
        self._last = now
        share = 100 * done // max(of, 1)
        click.echo(f"{done:,} of {of:,} ({share} %)", err=True)
