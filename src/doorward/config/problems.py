"""What is wrong with a configuration, said so that the operator can go to the place and repair it.

A file is read to its end and everything wrong with it is told at once; nothing of a wrong file is used.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NOT_YET = "Traefik has this option, Doorward does not support it yet"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where."""

    message: str
    file: str = ""
    line: int = 0
    """Counted from 1; 0 when unknown."""
    path: str = ""
    """The keys that lead there, joined by dots."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigurationError(Exception):
    """A configuration that is not used, with every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def joined(path: Iterable[str | int]) -> str:
    """``("http", "servers", 0)`` as ``http.servers[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(name: str, valid: Iterable[str]) -> str:
    """A half-sentence that names what may have been meant; empty when nothing is near and too much is valid."""
    by_folded = {candidate.lower(): candidate for candidate in valid}
    near = difflib.get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean {by_folded[near[0]]!r}?"
    if 0 < len(by_folded) <= 12:
        return "possible here: " + ", ".join(sorted(by_folded.values()))
    return ""
