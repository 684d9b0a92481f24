"""The control process's door for questions about decisions (``explain.sock``, for the owner of the state folder).

One question per connection: look into the book of refusals, or have a worker try its own chain. Tries are few at a
time and each has an end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from doorward.assembly.decision_book import DecisionBook
from doorward.messages.control import ToWorker
from doorward.messages.decisions import (
    AdministratorAtWork,
    ChainTried,
    Decided,
    Examine,
    Examined,
    FindDecisions,
    FindProbes,
    FromExplainer,
    ProbesFound,
    ToExplainer,
    TryChain,
)
from doorward.net.explain_door import framed

PATIENCE = 10.0
"""Seconds in which a question must be complete, and a worker must have made its tries."""
LARGEST = 1 << 20
MOST_TRIALS = 40
MOST_TRIES = 4
"""At one time."""

_decoder: msgspec.msgpack.Decoder[ToExplainer] = msgspec.msgpack.Decoder(ToExplainer)


class Explainer:
    def __init__(
        self,
        tell_one: Callable[[ToWorker], bool],
        probes: Callable[[], ProbesFound] = lambda: ProbesFound(),
        examine: Callable[[Examine], Awaitable[Examined]] | None = None,
        administrator: Callable[[], None] = lambda: None,
    ) -> None:
        """``tell_one`` gives a message to one worker, and says whether there is one; ``probes``: what the standing
        probe has seen; ``examine`` sends the doctor; ``administrator``: one is at work."""
        self._examine = examine
        self._administrator = administrator
        self._tell_one = tell_one
        self._probes = probes
        self._book = DecisionBook()
        self._waiting: dict[int, asyncio.Future[ChainTried]] = {}
        self._tickets = 0

    async def listen(self, door: Path) -> asyncio.Server:
        server = await asyncio.start_unix_server(self._serve, str(door), limit=LARGEST)
        door.chmod(0o600)
        return server

    def heard(self, message: Decided | ChainTried) -> None:
        """What a worker says."""
        if isinstance(message, Decided):
            self._book.add(message)
            return
        future = self._waiting.get(message.ticket)
        if future is not None and not future.done():
            future.set_result(message)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, TimeoutError, msgspec.MsgspecError):
            async with asyncio.timeout(PATIENCE):
                length = int.from_bytes(await reader.readexactly(4), "big")
                question = _decoder.decode(await reader.readexactly(min(length, LARGEST)))
            answer = await self._answer(question)
            if answer is not None:
                writer.write(framed(answer))
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _answer(self, question: ToExplainer) -> FromExplainer | None:
        match question:
            case FindDecisions():
                return self._book.find(question)
            case Examine():
                return Examined(problem="no doctor is here") if self._examine is None else await self._examine(question)
            case FindProbes():
                return self._probes()
            case Decided():
                self._book.add(question)
                return None
            case AdministratorAtWork():
                self._administrator()
                return None
            case TryChain(_, trials):
                if len(trials) > MOST_TRIALS or len(self._waiting) >= MOST_TRIES:
                    return ChainTried(0, problem="too many tries at one time")
                return await self._try(question)

    async def _try(self, question: TryChain) -> ChainTried:
        self._tickets += 1
        ticket = self._tickets
        future: asyncio.Future[ChainTried] = asyncio.get_running_loop().create_future()
        self._waiting[ticket] = future
        try:
            if not self._tell_one(TryChain(ticket, question.trials)):
                return ChainTried(ticket, problem="no worker is connected just now")
            async with asyncio.timeout(PATIENCE):
                return await future
        except TimeoutError:
            return ChainTried(ticket, problem="the worker did not answer in time")
        finally:
            del self._waiting[ticket]
