"""A worker's records of what it refused: sent to the control process a moment later, many at once.

The newest are kept here as well, so that a control process that was started anew learns of them. A flood of refusals
pushes out its own oldest records and takes no more room (S-917).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from doorward.messages.decisions import Decided, Decision

KEPT = 500
DELAY = 0.05
"""Seconds in which records gather."""


class DecisionPost:
    def __init__(self, tell: Callable[[Decided], bool], nobody: str = "") -> None:
        """``tell`` says whether anybody listens; ``nobody``: a client's address of which no record is kept."""
        self._tell = tell
        self._nobody = nobody
        self._kept: deque[Decision] = deque(maxlen=KEPT)
        self._unsent = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, decision: Decision) -> None:
        if self._nobody and decision.client == self._nobody:
            return
        self._kept.append(decision)
        self._unsent = min(self._unsent + 1, KEPT)
        self._soon()

    def all_again(self) -> None:
        """Somebody new listens: send everything that is kept."""
        self._unsent = len(self._kept)
        self._soon()

    def _soon(self) -> None:
        if self._timer is None and self._unsent:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self._send)

    def _send(self) -> None:
        self._timer = None
        unsent = list(self._kept)[-self._unsent :]
        if self._tell(Decided(tuple(unsent))):
            self._unsent = 0
