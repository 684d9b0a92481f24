"""The file provider: a file, or a folder of files.

What cannot be used is reported and the last good configuration stays; an empty file counts as such a mistake, because
a writer that truncates first would otherwise close every route (S-715).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration to use from now on."""

    configuration: DynamicConfiguration
    notices: tuple[str, ...] = ()
    """What was left out, one sentence each."""
    texts: tuple[tuple[str, str], ...] = ()
    """What it was made of: the name of each file, and what stood in it."""

    @classmethod
    def nothing(cls) -> Loaded:
        """Where no files are configured."""
        return cls(DynamicConfiguration())


class FileSource:
    """Dynamic configuration from files. Its objects are ``name@file``."""

    name = "file"

    def __init__(self, settings: FileProvider, environment: Mapping[str, str] | None = None) -> None:
        """``environment`` is the process's own by default."""
        self._directory = Path(settings.directory) if settings.directory else None
        self._file = Path(settings.filename)
        self._environment = os.environ if environment is None else environment

    def load(self) -> Loaded:
        """Read everything now. Raises ConfigurationError with all that is wrong in all files."""
        problems: list[Problem] = []
        files: list[tuple[str, DynamicConfiguration]] = []
        texts: list[tuple[str, str]] = []
        for path in self._files():
            try:
                text = read_text(path)
                files.append((str(path), self._decoded(text, path)))
                texts.append((str(path), text))
            except ConfigurationError as error:
                problems += error.problems
        if problems:
            raise ConfigurationError(problems)
        return Loaded(*merge(files), tuple(texts))

    def load_again(self, texts: tuple[tuple[str, str], ...]) -> Loaded:
        """What was loaded when ``texts`` stood in the files."""
        return Loaded(*merge((name, self._decoded(text, Path(name))) for name, text in texts), texts)

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

    def _decoded(self, text: str, path: Path) -> DynamicConfiguration:
        document = parse(expand(text, str(path), self._environment), path)
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
