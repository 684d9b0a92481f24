"""Exchanges that stay open on the word of an auth server that is asked over HTTP: it is asked again, now and then.

Our own outpost says when a session ends (``open_sessions``); another auth server says nothing by itself. So whoever
has a WebSocket, an event stream or a long download open is judged again every ``recheckInterval`` with the question
that let them in, and cut when the answer is no (S-228). An auth server that cannot answer is given three chances.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

CHANCES = 3
"""Failures to get an answer, one after another, until an exchange is cut."""


class Word(enum.Enum):
    """What the auth server says now."""

    YES = "yes"
    NO = "no"
    NOTHING = "nothing"
    """It was not reached, or did not know."""


@dataclass(frozen=True, slots=True)
class Recheck:
    """How to ask again."""

    every: float
    """Seconds."""
    ask: Callable[[], Awaitable[Word]]


def both(first: Recheck | None, second: Recheck) -> Recheck:
    """Two auth servers let it pass: each must still do so."""
    if first is None:
        return second
    one = first

    async def ask() -> Word:
        word = await one.ask()
        return await second.ask() if word is Word.YES else word

    return Recheck(min(one.every, second.every), ask)


class EndsWithRefusal(Protocol):
    def session_ended(self) -> None: ...


@dataclass(slots=True)
class _Open:
    recheck: Recheck
    due: float
    failures: int = 0
    asking: asyncio.Task[None] | None = None


class Rechecks:
    """The open exchanges of a worker that must be judged again."""

    def __init__(self) -> None:
        self._open: dict[EndsWithRefusal, _Open] = {}

    def add(self, exchange: EndsWithRefusal, recheck: Recheck, now: float) -> None:
        """``now`` is monotonic, in seconds."""
        self._open[exchange] = _Open(recheck, now + recheck.every)

    def discard(self, exchange: EndsWithRefusal) -> None:
        """It is over. The question that is being put for it, if any, is withdrawn."""
        gone = self._open.pop(exchange, None)
        if gone is not None and gone.asking is not None:
            gone.asking.cancel()

    def sweep(self, now: float) -> None:
        """Ask for all that are due."""
        for exchange, entry in list(self._open.items()):
            if entry.due <= now and entry.asking is None:
                entry.due = now + entry.recheck.every
                entry.asking = asyncio.get_running_loop().create_task(self._ask(exchange, entry))

    async def _ask(self, exchange: EndsWithRefusal, entry: _Open) -> None:
        word = await entry.recheck.ask()
        entry.asking = None
        entry.failures = entry.failures + 1 if word is Word.NOTHING else 0
        if word is Word.NO or entry.failures >= CHANCES:
            self.discard(exchange)
            exchange.session_ended()

    def __len__(self) -> int:
        return len(self._open)
