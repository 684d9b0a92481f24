"""What can be wrong with a blueprint."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.config.problems import Problem


class Wrong(Exception):
    """One thing that is wrong, said while an entry is worked on; ``field`` is where in the entry."""

    def __init__(self, message: str, field: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.line = line


class Follows(Exception):
    """This entry needs another one that has failed already: said once, there."""


class Unusable(Exception):
    """The blueprint is not applied, and nothing of it; every reason is told."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
