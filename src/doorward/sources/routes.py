"""The routing table as it should be, again and again: what the control process follows.

Each change of any source is loaded, merged and compiled as a whole. What comes out is either a table that is
another one than before, or the reasons why the last good one stays.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from doorward.config.dynamic import DynamicConfiguration
from doorward.config.problems import ConfigurationError
from doorward.config.static import StaticConfiguration
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.routing import Certificate, RoutingTable
from doorward.sources.certificates import Shelf
from doorward.sources.compile import Surroundings, compile_table
from doorward.sources.file import FileSource, Loaded, Refused
from doorward.sources.pem import files_read
from doorward.sources.proxied import ProxiedApplications
from doorward.sources.watched_files import WatchedFiles


@dataclass(frozen=True, slots=True)
class Routing:
    """A table to use from now on, and what its author should know about it."""

    table: RoutingTable
    warnings: tuple[str, ...] = ()
    providers: Mapping[str, DynamicConfiguration] = field(default_factory=dict)
    """What it was made of, by provider."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing changes; ``problems`` has one reason a line."""

    problems: str


async def follow(
    static: StaticConfiguration,
    identity_socket: Path | None = None,
    own_names: frozenset[str] = frozenset(),
    default_certificate: Certificate | None = None,
    reload: asyncio.Event | None = None,
    applications: ProxiedApplications | None = None,
    certificate_for: Callable[[str], Certificate | None] | None = None,
    looked: Callable[[], None] = lambda: None,
) -> AsyncGenerator[Routing | Failed, None]:
    """The table now, and another one whenever it is another one. Never ends.

    ``own_names``: names of this machine, under which a ``forwardAuth`` address is our own outpost. Setting
    ``reload`` reads every file again, certificates included. ``applications`` says what is served in proxy mode,
    ``certificate_for`` has certificates for hosts of theirs that no configured one holds. ``looked`` is called whenever
    something has been read, whether or not anything came of it.
    """
    applications = applications or ProxiedApplications()
    surroundings = Surroundings(identity_socket, own_names, default_certificate, Shelf(), applications.known)
    if certificate_for is not None:
        surroundings = dataclasses.replace(surroundings, certificate_for=certificate_for)
    compiler = _Tables(static, surroundings)
    settings = static.providers.file
    news: asyncio.Queue[Loaded | Refused | OutpostConfiguration | BaseException] = asyncio.Queue()
    tasks = [asyncio.ensure_future(_hand_on(applications.results(), news))]
    watched = None
    if settings is None:
        news.put_nowait(Loaded(DynamicConfiguration()))
    else:
        source = FileSource(settings, static.providers.providers_throttle_duration)
        watched = WatchedFiles(source.reload) if settings.watch else None
        tasks.append(asyncio.ensure_future(_hand_on(source.results(), news)))
        if reload is not None:
            tasks.append(asyncio.ensure_future(_reload_on(reload, source)))
    try:
        while True:
            new = await news.get()
            if isinstance(new, BaseException):
                raise new
            outcome = compiler.hear(new)
            if watched is not None:
                watched.watch(compiler.files)
            if outcome is not None:
                yield outcome
            looked()
    finally:
        if watched is not None:
            await watched.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


T = TypeVar("T", Loaded | Refused, OutpostConfiguration)


async def _hand_on(
    results: AsyncGenerator[T, None], news: asyncio.Queue[Loaded | Refused | OutpostConfiguration | BaseException]
) -> None:
    try:
        async with aclosing(results):
            async for result in results:
                news.put_nowait(result)
    except Exception as error:  # noqa: BLE001 - whoever follows must hear of it
        news.put_nowait(error)


async def _reload_on(reload: asyncio.Event, source: FileSource) -> None:
    while True:
        await reload.wait()
        reload.clear()
        source.reload()


class _Tables:
    """Compiles, counts versions, and keeps quiet about what was said last."""

    def __init__(self, static: StaticConfiguration, surroundings: Surroundings) -> None:
        self._static = static
        self._surroundings = surroundings
        self._version = 0
        self.files: frozenset[Path] = frozenset()
        """What the last table was made of besides the configuration, or would have been."""
        self._said: Routing | Failed | None = None
        self._loaded: Loaded | None = None
        """What the files say, as they were last when they could be used."""
        self._is_wrong = False
        """Nothing could be made of what was said last."""

    def hear(self, new: Loaded | Refused | OutpostConfiguration) -> Routing | Failed | None:
        """What one source says now, together with what the others said before; None if nothing comes of it."""
        if isinstance(new, Refused):
            return self._failed("\n".join(map(str, new.problems)))
        if isinstance(new, Loaded):
            before, self._loaded = self._loaded, new
            outcome = self._outcome()
            if self._is_wrong and before is not None:
                self._loaded = before  # the last good one, for whatever the other source says next
            return outcome
        self._surroundings = dataclasses.replace(self._surroundings, outposts=new)
        return self._outcome() if self._loaded is not None else None

    def _outcome(self) -> Routing | Failed | None:
        assert self._loaded is not None
        providers = {FileSource.name: self._loaded.configuration}
        with files_read() as files:
            try:
                compiled = compile_table(self._static, providers, self._surroundings)
            except ConfigurationError as error:
                return self._failed(str(error))
            finally:
                self.files = frozenset(files)
        self._is_wrong = False
        broken = tuple(f"a router answers 503 only: {reason}" for reason in compiled.broken)
        return self._say(
            Routing(compiled.table, (*self._loaded.notices, *broken, *compiled.warnings), compiled.providers)
        )

    def _failed(self, problems: str) -> Failed | None:
        """The failure, or None if that is what was said last."""
        self._is_wrong = True
        failure = Failed(problems)
        if failure == self._said:
            return None
        self._said = failure
        return failure

    def _say(self, routing: Routing) -> Routing | None:
        if routing == self._said:
            return None
        self._said = routing
        self._version += 1
        return Routing(replace(routing.table, version=self._version), routing.warnings, routing.providers)
