"""The file provider: a file, or a folder of files, read now and whenever it changes.

A folder is watched, never a file: editors and Kubernetes replace files instead of writing into them. What cannot be
used is reported and the last good configuration stays; an empty file counts as such a mistake, because a writer
that truncates first would otherwise close every route (S-715).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from watchfiles import awatch

from doorward.config.decode import decode, parse
from doorward.config.document import Document, read_text
from doorward.config.dynamic import DynamicConfiguration
from doorward.config.problems import ConfigurationError, Problem, joined
from doorward.config.static import FileProvider
from doorward.config.templates import expand
from doorward.sources.merge import merge
from doorward.sources.rules import RuleError, parse_rule

SUFFIXES = (".toml", ".yaml", ".yml")
MAX_FILES = 1000
_DEBOUNCE = 100
"""Milliseconds in which several events count as one change."""
_RETRY = 1.0
"""Seconds until a folder that cannot be watched is tried again."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration to use from now on."""

    configuration: DynamicConfiguration
    notices: tuple[str, ...] = ()
    """What was left out, one sentence each."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing changes, for these reasons."""

    problems: tuple[Problem, ...]


class FileSource:
    """Dynamic configuration from files. Its objects are ``name@file``."""

    name = "file"

    def __init__(
        self, settings: FileProvider, throttle: float = 2.0, environment: Mapping[str, str] | None = None
    ) -> None:
        """``throttle``: seconds between two results at least. ``environment`` is the process's own by default."""
        self._directory = Path(settings.directory) if settings.directory else None
        self._file = Path(settings.filename)
        self._watches = settings.watch
        self._throttle = throttle
        self._environment = os.environ if environment is None else environment
        self._changed = asyncio.Event()

    def reload(self) -> None:
        """Read again as soon as the throttle allows, whether or not anything seems to have changed."""
        self._changed.set()

    def load(self) -> Loaded:
        """Read everything now. Raises ConfigurationError with all that is wrong in all files."""
        problems: list[Problem] = []
        files: list[tuple[str, DynamicConfiguration]] = []
        for path in self._files():
            try:
                files.append((str(path), self._read(path)))
            except ConfigurationError as error:
                problems += error.problems
        if problems:
            raise ConfigurationError(problems)
        return Loaded(*merge(files))

    async def results(self) -> AsyncGenerator[Loaded | Refused, None]:
        """The result of loading now, and then one for every change, whatever it changed. Never ends."""
        watching = asyncio.ensure_future(self._watch()) if self._watches else None
        try:
            while True:
                self._changed.clear()
                yield await asyncio.to_thread(self._result)
                await asyncio.sleep(self._throttle)
                await self._changed.wait()
        finally:
            if watching is not None:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching

    def _result(self) -> Loaded | Refused:
        try:
            return self.load()
        except ConfigurationError as error:
            return Refused(error.problems)

    async def _watch(self) -> None:
        folder = self._directory if self._directory is not None else self._file.absolute().parent
        while True:
            try:
                changes = awatch(
                    folder,
                    watch_filter=self._concerns_us,
                    debounce=_DEBOUNCE,
                    recursive=self._directory is not None,
                )
                async for _ in changes:
                    self._changed.set()
            except (OSError, RuntimeError):
                # The folder is gone; when it comes back, that is a change as well.
                await asyncio.sleep(_RETRY)
                self._changed.set()

    def _concerns_us(self, change: object, path: str) -> bool:
        """Beside a single file there may be others that change all the time, such as a database."""
        name = os.path.basename(path)  # noqa: PTH119 - called for every event
        return self._directory is not None or name == self._file.name or name.startswith("..")

    def _files(self) -> list[Path]:
        if self._directory is None:
            return [self._file]
        if not self._directory.is_dir():
            raise ConfigurationError([Problem("is no folder", str(self._directory))])
        found = []
        for folder, folders, names in os.walk(self._directory):
            # Hidden entries are not configuration: Kubernetes keeps its old versions in such folders.
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [
                Path(folder) / name for name in names if name.lower().endswith(SUFFIXES) and not name.startswith(".")
            ]
        if len(found) > MAX_FILES:
            raise ConfigurationError([Problem(f"holds more than {MAX_FILES} files", str(self._directory))])
        return sorted(found, key=str)

    def _read(self, path: Path) -> DynamicConfiguration:
        document = parse(expand(read_text(path), str(path), self._environment), path)
        if document.data is None:
            raise ConfigurationError([Problem("is empty; to take routes away, remove the file", str(path))])
        configuration = decode(document, DynamicConfiguration)
        if configuration.is_empty:
            raise ConfigurationError([Problem("configures nothing", str(path))])
        problems = _wrong_rules(document, configuration)
        if problems:
            raise ConfigurationError(problems)
        return configuration


def _wrong_rules(document: Document, configuration: DynamicConfiguration) -> list[Problem]:
    problems = []
    for name, router in configuration.http.routers.items():
        path = ("http", "routers", name, "rule")
        try:
            parse_rule(router.rule)
        except RuleError as error:
            problems.append(Problem(str(error), document.file, document.line(path), joined(path)))
    return problems
