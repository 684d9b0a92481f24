"""A sign-out is answered as soon as every worker has heard of it: a few milliseconds (S-325).

    worker ── WhenAllKnow ──► control: look at the change log now, tell all workers, wait until each has said
           ◄── AllKnow ─────  that it has forgotten

Whatever fails on the way (a worker that hangs, an identity child that does not answer) does not keep the answer back
for longer than ``PATIENCE``; then it is said in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from doorward.assembly.session_ends import SessionEnds

PATIENCE = 1.0
"""Seconds; the bound for revocations in section 3 of the security contract."""
OTHER_TREE = 0.4
"""Seconds in which the workers of another version, while one hands over to the other, have heard as well: its own
control process looks at the change log twenty times a second."""
AGAIN = 0.05


class SignOuts:
    """The control process's part."""

    def __init__(
        self,
        look: Callable[[], Awaitable[bool]],
        ends: SessionEnds,
        alone: Callable[[], bool],
        say: Callable[[str], None],
    ) -> None:
        """``look`` reads the change log now and tells the workers; False when that was not possible. ``alone``: no
        other version works on the same state now."""
        self._look = look
        self._ends = ends
        self._alone = alone
        self._say = say
        self._waiting: set[asyncio.Task[None]] = set()

    def asked(self, reply: Callable[[], None]) -> None:
        """A worker wants ``reply`` to be called when every worker knows which sessions have ended by now."""
        task = asyncio.get_running_loop().create_task(self._wait(reply))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _wait(self, reply: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        deadline = begun + PATIENCE
        while not await self._look() and loop.time() < deadline:
            await asyncio.sleep(AGAIN)
        if not await self._ends.all_know(deadline - loop.time()):
            self._say("a sign-out is answered although not every worker has said that it knows of it")
        if not self._alone():
            await asyncio.sleep(begun + OTHER_TREE - loop.time())
        reply()


class SignOutQuestions:
    """The worker's part."""

    def __init__(self, ask: Callable[[int], bool], say: Callable[[str], None]) -> None:
        """``ask`` sends a ``WhenAllKnow`` of that number; False when the control process is not connected."""
        self._ask = ask
        self._say = say
        self._number = 0
        self._open: dict[int, asyncio.Future[None]] = {}

    def answered(self, number: int) -> None:
        future = self._open.get(number)
        if future is not None and not future.done():
            future.set_result(None)

    async def told(self) -> None:
        """Returns when every worker has heard of the sessions that have ended by now, or when waiting is over."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[None] = loop.create_future()
        asked: list[int] = []
        deadline = loop.time() + PATIENCE + AGAIN
        try:
            while not answer.done() and (left := deadline - loop.time()) > 0:
                self._number += 1
                asked.append(self._number)
                self._open[self._number] = answer
                # Asked again after half of the time: the control process may have been another one meanwhile.
                pause = PATIENCE / 2 if self._ask(self._number) else AGAIN
                await asyncio.wait([answer], timeout=min(left, pause))
        finally:
            for number in asked:
                del self._open[number]
        if not answer.done():
            self._say("a sign-out is answered although the control process did not say that all workers know of it")
