"""The routing table as it should be, again and again: what the control process follows.

Each change of any source is loaded, merged and compiled as a whole. What comes out is either a table that is
another one than before, or the reasons why the last good one stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from doorward.config.dynamic import DynamicConfiguration
from doorward.config.problems import ConfigurationError
from doorward.config.static import StaticConfiguration
from doorward.messages.routing import Certificate, RoutingTable
from doorward.sources.certificates import Shelf
from doorward.sources.compile import Surroundings, compile_table
from doorward.sources.file import FileSource, Refused
from doorward.sources.pem import files_read
from doorward.sources.watched_files import WatchedFiles


@dataclass(frozen=True, slots=True)
class Routing:
    """A table to use from now on, and what its author should know about it."""

    table: RoutingTable
    warnings: tuple[str, ...] = ()


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
) -> AsyncGenerator[Routing | Failed, None]:
    """The table now, and another one whenever it is another one. Never ends.

    ``own_names``: names of this machine, under which a ``forwardAuth`` address is our own outpost. Setting
    ``reload`` reads every file again, certificates included.
    """
    compiler = _Tables(static, Surroundings(identity_socket, own_names, default_certificate, Shelf()))
    settings = static.providers.file
    if settings is None:
        yield compiler.outcome({}) or Routing(RoutingTable())
        await asyncio.Event().wait()
        return
    source = FileSource(settings, static.providers.providers_throttle_duration)
    bridge = asyncio.ensure_future(_reload_on(reload, source)) if reload is not None else None
    watched = WatchedFiles(source.reload)
    try:
        async with aclosing(source.results()) as results:
            async for result in results:
                outcome = (
                    compiler.failed("\n".join(map(str, result.problems)))
                    if isinstance(result, Refused)
                    else compiler.outcome({source.name: result.configuration}, result.notices)
                )
                if settings.watch:
                    watched.watch(compiler.files)
                if outcome is not None:
                    yield outcome
    finally:
        await watched.close()
        if bridge is not None:
            bridge.cancel()
            with suppress(asyncio.CancelledError):
                await bridge


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

    def outcome(
        self, providers: dict[str, DynamicConfiguration], notices: tuple[str, ...] = ()
    ) -> Routing | Failed | None:
        """What ``providers`` make, or None if that is what was said last."""
        with files_read() as files:
            try:
                compiled = compile_table(self._static, providers, self._surroundings)
            except ConfigurationError as error:
                return self.failed(str(error))
            finally:
                self.files = frozenset(files)
        broken = tuple(f"a router answers 503 only: {reason}" for reason in compiled.broken)
        return self._say(Routing(compiled.table, (*notices, *broken, *compiled.warnings)))

    def failed(self, problems: str) -> Failed | None:
        """The failure, or None if that is what was said last."""
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
        return Routing(replace(routing.table, version=self._version), routing.warnings)
