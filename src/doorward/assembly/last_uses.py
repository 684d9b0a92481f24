"""Tells whoever keeps the proxy sessions which of them were used, about once a minute.

That is what idle limits and the lists of live sessions go by. A request costs nothing for it: it leaves its time with
the session that this process remembers anyway, and here the times are collected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from doorward.messages.http import HttpAnswer
from doorward.messages.sessions import Seen, SessionsSeen
from doorward.outpost.ports import StoreUnavailable

EVERY = 60.0
"""Seconds."""
BATCH = 500
"""Sessions in one question: each is a write, and others wait for it."""


class LastUses:
    def __init__(
        self,
        used_since: Callable[[float], list[Seen]],
        ask: Callable[[str, SessionsSeen], Awaitable[HttpAnswer]],
        now: Callable[[], float],
    ) -> None:
        self._used_since = used_since
        self._ask = ask
        self._now = now
        self._told = now()

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(EVERY)
            await self.tell()

    async def tell(self) -> None:
        """Say what was used since the last time that it was heard."""
        begun = self._now()
        try:
            used = self._used_since(self._told)
            for start in range(0, len(used), BATCH):
                await self._ask("sessions-seen", SessionsSeen(tuple(used[start : start + BATCH])))
        except StoreUnavailable:
            return  # the next time says all of it again
        self._told = begun
