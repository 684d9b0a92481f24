"""The routing table as it should be, again and again, whoever makes it.

Each change of any source has the table made anew as a whole. What comes out is either a table that is another one
than before, or the reasons why the last good one stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from doorward.messages.compiling import Failed, RoutesMade, Routing
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.plan import RoutesPlan
from doorward.sources.applications import ProxiedApplications
from doorward.sources.file_changes import FileChanges
from doorward.sources.watched_files import WatchedFiles

RETRY = 15.0
"""Seconds until a table that could not even be tried is tried again."""

Make = Callable[[bool, OutpostConfiguration], Awaitable[RoutesMade]]
"""Makes a table of the files and these applications. True: reads the files again. Raises CannotMake."""


class CannotMake(Exception):
    """It is not known whether the configuration is right: nobody could look at it. The text says why."""


async def follow(
    make: Make,
    plan: RoutesPlan,
    applications: ProxiedApplications,
    reload: asyncio.Event | None = None,
    looked: Callable[[], None] = lambda: None,
) -> AsyncGenerator[Routing | Failed, None]:
    """The table now, and another one whenever it is another one. Never ends.

    Setting ``reload`` reads every file again, certificates included. ``applications`` says what is served in proxy
    mode. ``looked`` is called whenever something has been read, whether or not anything came of it.
    """
    news: asyncio.Queue[OutpostConfiguration | BaseException | None] = asyncio.Queue()
    tasks = [asyncio.ensure_future(_hand_on(applications.results(), news))]
    watched = None
    if plan.files is None:
        news.put_nowait(None)
    else:
        changes = FileChanges(plan.files, plan.throttle)
        watched = WatchedFiles(changes.reload) if plan.files.watch else None
        tasks.append(asyncio.ensure_future(_hand_on(changes.readings(), news)))
        if reload is not None:
            tasks.append(asyncio.ensure_future(_reload_on(reload, changes)))
    spoken = _Spoken()
    try:
        while True:
            read = await _read_wanted(news)
            outcome: Routing | Failed | None
            try:
                made = await make(read, applications.known)
            except CannotMake as error:
                outcome = Failed(str(error))
                asyncio.get_running_loop().call_later(RETRY, news.put_nowait, None)
            else:
                outcome = made.outcome
                if watched is not None and made.files is not None:
                    watched.watch(map(Path, made.files))
            told = spoken.new(outcome)
            if told is not None:
                yield told
            looked()
    finally:
        if watched is not None:
            await watched.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read_wanted(news: asyncio.Queue[OutpostConfiguration | BaseException | None]) -> bool:
    """Wait for something to do; whether files are to be read for it."""
    heard = [await news.get()]
    while not news.empty():  # one table for everything that happened meanwhile
        heard.append(news.get_nowait())
    for new in heard:
        if isinstance(new, BaseException):
            raise new
    return None in heard


T = TypeVar("T", None, OutpostConfiguration)


async def _hand_on(
    results: AsyncGenerator[T, None], news: asyncio.Queue[OutpostConfiguration | BaseException | None]
) -> None:
    try:
        async with aclosing(results):
            async for result in results:
                news.put_nowait(result)
    except Exception as error:  # noqa: BLE001 - whoever follows must hear of it
        news.put_nowait(error)


async def _reload_on(reload: asyncio.Event, changes: FileChanges) -> None:
    while True:
        await reload.wait()
        reload.clear()
        changes.reload()


class _Spoken:
    """Counts versions, and keeps quiet about what was said last."""

    def __init__(self) -> None:
        self._version = 0
        self._said: Routing | Failed | None = None

    def new(self, outcome: Routing | Failed | None) -> Routing | Failed | None:
        if outcome is None or outcome == self._said:
            return None
        self._said = outcome
        if isinstance(outcome, Failed):
            return outcome
        self._version += 1
        return replace(outcome, table=replace(outcome.table, version=self._version))
