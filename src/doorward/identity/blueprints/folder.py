"""The files of the folders of blueprints. Nothing outside of them is read, whatever links say (S-611)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from doorward.config.document import read_text
from doorward.config.problems import ConfigurationError, Problem
from doorward.identity.blueprints.errors import Unusable

SUFFIXES = (".yaml", ".yml")
MOST = 1000


@dataclass(frozen=True, slots=True)
class File:
    path: str
    """Relative to its folder: the name by which everything else knows it."""
    real: Path
    modified: datetime

    def text(self) -> str:
        """Raises Unusable."""
        try:
            return read_text(self.real)
        except ConfigurationError as error:
            raise Unusable(
                [Problem(each.message, self.path, each.line, each.path) for each in error.problems]
            ) from error


def files() -> list[File]:
    """All of them, by path."""
    found: dict[str, File] = {}
    for folder in settings.BLUEPRINTS:
        for file in _in(Path(folder)):
            found.setdefault(file.path, file)
    return [found[path] for path in sorted(found)][:MOST]


def file_at(path: str) -> File | None:
    """The file that is called so; None for what is not in the folders."""
    return next((file for file in files() if file.path == path), None)


def signature() -> tuple[tuple[str, int, int, int], ...]:
    """Another one whenever a file came, went or changed."""
    found = []
    for folder in settings.BLUEPRINTS:
        for file in _in(Path(folder)):
            try:
                status = file.real.stat()
            except OSError:
                continue
            found.append((str(file.real), status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(sorted(found))


def hash_of(text: str) -> str:
    """Hex SHA-512."""
    return hashlib.sha512(text.encode("utf-8", "surrogatepass")).hexdigest()


def _in(folder: Path) -> Iterator[File]:
    root = folder.resolve()
    for here, folders, names in os.walk(root):
        # Hidden ones are how mounted volumes keep their former versions.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or not name.endswith(SUFFIXES):
                continue
            path = Path(here, name)
            try:
                real = path.resolve(strict=True)
                status = real.stat()
            except OSError:
                continue
            if real.is_relative_to(root) and real.is_file():
                modified = datetime.fromtimestamp(status.st_mtime, UTC)
                yield File(path.relative_to(root).as_posix(), real, modified)
