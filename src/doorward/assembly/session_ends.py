"""Which workers have forgotten the sessions that ended.

A sign-out is answered when no worker lets that browser pass any more (S-325). So every worker says up to which place
in the change log it has forgotten ended sessions, and here is known whom to wait for: every worker that could still
remember one. That is each process that has ever said hello and still lives, also while its channel is lost; and, after
a new start of the control process, the places in the process tree of which nothing has been heard yet.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

LOOK = 0.02
"""Seconds between two looks at a worker whose channel is lost."""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class SessionEnds:
    """See the module. Used from one event loop."""

    def __init__(self, workers: int, alive: Callable[[int], bool] = is_alive) -> None:
        """``workers``: places in the process tree."""
        self._missing = set(range(workers))
        self._known: dict[int, int] = {}
        """By process, the place up to which it has forgotten what ended."""
        self._lost: set[int] = set()
        self._told = 0
        self._alive = alive
        self._changed = asyncio.Event()

    def told(self, position: int) -> None:
        """All workers are being told of sessions that ended up to ``position``."""
        self._told = position

    def came(self, pid: int, place: int, position: int) -> None:
        """A worker has said hello; ``position`` is -1 when it knows no session at all."""
        self._missing.discard(place)
        self._lost.discard(pid)
        self._known[pid] = position if position >= 0 else self._told
        self._changed.set()

    def forgot(self, pid: int, position: int) -> None:
        """A worker has forgotten the sessions that ended up to ``position``."""
        self._known[pid] = position
        self._changed.set()

    def gone(self, pid: int) -> None:
        """A worker's channel is lost."""
        self._lost.add(pid)
        self._changed.set()

    async def all_know(self, patience: float) -> bool:
        """Wait until every worker has forgotten what was told so far; False when ``patience`` seconds are over."""
        position, loop = self._told, asyncio.get_running_loop()
        deadline = loop.time() + patience
        while self.waits_for(position):
            left = deadline - loop.time()
            if left <= 0:
                return False
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), min(left, LOOK) if self._lost else left)
            except TimeoutError:
                continue
        return True

    def waits_for(self, position: int) -> list[str]:
        """The workers that may still remember a session that ended up to ``position``."""
        for pid in [pid for pid in self._lost if not self._alive(pid)]:
            self._lost.discard(pid)
            self._known.pop(pid, None)
        late = [f"process {pid}" for pid, known in self._known.items() if known < position]
        return late + [f"worker {place}" for place in sorted(self._missing)]
