"""What one run of an expression may use: steps, room and processor time (S-612).

Every step of the interpreter and everything that it makes is charged before it happens, so that ``"a" * 10**10`` fails
without having been made, and a loop ends by itself.
"""

from __future__ import annotations

import time

from doorward.identity.expressions.errors import ExpressionFailed

STEPS = 50_000
ROOM = 500_000
"""Characters and members made in all, the freed ones included; some 16 MiB at worst."""
WORK = 10_000_000
"""Characters and members looked at by searches and comparisons."""
SECONDS = 0.25
"""Of processor time of the thread: on a busy machine an expression must not fail for others' work."""
INTEGER_BITS = 4096
_LOOK = 50
"""What a look costs however small it is."""
CONTAINER = 16
"""What a container costs before anything is in it."""


class Budget:
    """Counts down. Everything raises ExpressionFailed when it is used up."""

    __slots__ = ("_deadline", "_room", "_steps", "_work")

    def __init__(self) -> None:
        self._steps = STEPS
        self._room = ROOM
        self._work = WORK
        self._deadline = 0.0  # set at the first look at the clock: to ask it is dearer than most expressions

    def step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise ExpressionFailed(f"it takes more than {STEPS:,} steps")
        if self._steps % 128 == 0:
            self._hurry()

    def make(self, size: int) -> None:
        """Before something of ``size`` characters or members is made."""
        self._room -= size
        if self._room < 0:
            raise ExpressionFailed(f"it makes more than {ROOM:,} characters and members")

    def look(self, size: int) -> None:
        """Before ``size`` characters or members are searched or compared."""
        self._work -= size + _LOOK
        if self._work < 0:
            raise ExpressionFailed("it compares and searches too much")
        if size > 10_000:
            self._hurry()

    def _hurry(self) -> None:
        now = time.thread_time()
        if not self._deadline:
            self._deadline = now + SECONDS
        elif now > self._deadline:
            raise ExpressionFailed(f"it takes longer than {SECONDS} s")
