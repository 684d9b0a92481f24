"""A configuration file as plain data that still knows its line numbers.

The file's name decides the format. Files over 1 MiB are refused before they are parsed (S-715).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from doorward.config.problems import ConfigurationError, Problem

MAX_BYTES = 1 << 20
"""Nobody writes a megabyte of routes by hand; a file that large is a mistake or an attack."""

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
KeyPath = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """Plain data and where its parts stand. ``lines`` has lower-cased keys: spelling does not move a line."""

    data: Plain
    file: str
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int:
        """The line of ``path`` or of the nearest thing around it; 0 when even that is unknown."""
        folded = tuple(part.lower() if isinstance(part, str) else part for part in path)
        while True:
            if folded in self.lines:
                return self.lines[folded]
            if not folded:
                return 0
            folded = folded[:-1]

    def note(self, path: KeyPath, line: int) -> None:
        """Remember that ``path`` stands on ``line``."""
        self.lines[tuple(part.lower() if isinstance(part, str) else part for part in path)] = line


def read_text(path: Path) -> str:
    """The text of a configuration file. Raises ConfigurationError when it is missing, too large or not UTF-8."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError([Problem(f"cannot be read: {error.strerror}", str(path))]) from error
    if len(raw) > MAX_BYTES:
        raise ConfigurationError([Problem(f"is larger than {MAX_BYTES} bytes", str(path))])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigurationError([Problem("is not UTF-8 text", str(path), line)]) from error
