"""Exchanges that stay open on the word of an auth server that is asked over HTTP: it is asked again, now and then.

Our own outpost says when a session ends (``open_sessions``); another auth server says nothing by itself. So whoever
has a WebSocket, an event stream or a long download open is judged again every ``recheckInterval`` with the question
that let them in, and cut when the answer is no (S-228). An auth server that cannot answer is given three chances.

Programs have no session: they came with a credential. Our outpost says when it ends, and also when something changed
that could have made it worth less. Then they are asked about at once, and who cannot be vouched for within a second
is cut (``in_doubt``).
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

CHANCES = 3
"""Failures to get an answer, one after another, until an exchange is cut."""
SETTLED_WITHIN = 1.0
"""Seconds in which a doubt must be cleared up."""
_AGAIN = 0.1
"""Seconds until whoever could not answer is asked about a doubt again."""


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
    doubtful: bool = False
    """Whoever is asked says when there is doubt."""


def both(first: Recheck | None, second: Recheck) -> Recheck:
    """Two auth servers let it pass: each must still do so."""
    if first is None:
        return second
    one = first

    async def ask() -> Word:
        word = await one.ask()
        return await second.ask() if word is Word.YES else word

    return Recheck(min(one.every, second.every), ask, one.doubtful or second.doubtful)


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

    def in_doubt(self) -> None:
        """Something changed: ask now for all whose yes may have been a different one."""
        for exchange, entry in list(self._open.items()):
            if entry.recheck.doubtful:
                if entry.asking is not None:
                    entry.asking.cancel()  # its answer may be from before
                entry.asking = asyncio.get_running_loop().create_task(self._settle(exchange, entry))

    async def _settle(self, exchange: EndsWithRefusal, entry: _Open) -> None:
        word = Word.NOTHING
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_WITHIN):
                while (word := await entry.recheck.ask()) is Word.NOTHING:
                    await asyncio.sleep(_AGAIN)
        self._answered(exchange, entry, word is Word.YES)

    async def _ask(self, exchange: EndsWithRefusal, entry: _Open) -> None:
        word = await entry.recheck.ask()
        entry.failures = entry.failures + 1 if word is Word.NOTHING else 0
        self._answered(exchange, entry, word is not Word.NO and entry.failures < CHANCES)

    def _answered(self, exchange: EndsWithRefusal, entry: _Open, may_stay: bool) -> None:
        entry.asking = None
        if not may_stay:
            self.discard(exchange)
            exchange.session_ended()

    def __len__(self) -> int:
        return len(self._open)
