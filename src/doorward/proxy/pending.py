"""What a middleware gives back when somebody else has to be asked first, without a task that waits for it.

The exchange is told when the answer is there, and lets the same middleware see the same request again, which then finds
the answer with it (``Request.asked``).
"""

from __future__ import annotations

from collections.abc import Callable


class Pending:
    """Whoever subclasses it calls ``_arrived`` once, later, unless ``cancel`` was called before."""

    __slots__ = ("_go_on",)

    def __init__(self) -> None:
        self._go_on: Callable[[], None] | None = None

    def then(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` when the answer is there."""
        self._go_on = go_on

    def cancel(self) -> None:
        """Nobody waits any more."""
        self._go_on = None

    def _arrived(self) -> None:
        go_on, self._go_on = self._go_on, None
        if go_on is not None:
            go_on()
