"""The one template that a dynamic configuration file may hold: ``{{ env "NAME" }}``.

Traefik runs files through Go's template language. Doorward reads variables from the environment and nothing else;
anything more is told, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from doorward.config.problems import ConfigurationError, Problem

_ENV = re.compile(r"""\{\{-?\s*env\s+(?:"([^"{}]+)"|`([^`{}]+)`)\s*-?\}\}""")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def expand(text: str, file: str, environment: Mapping[str, str]) -> str:
    """The text with every ``{{ env "NAME" }}`` replaced.

    Raises ConfigurationError for a variable that is not set, for one whose value has control characters (it could
    write lines of its own, S-706), and for every other template expression.
    """
    problems: list[Problem] = []

    def replaced(found: re.Match[str]) -> str:
        name = found.group(1) or found.group(2)
        value = environment.get(name)
        if value is None or _CONTROL.search(value):
            line = text.count("\n", 0, found.start()) + 1
            what = "is not set" if value is None else "has line breaks or control characters"
            problems.append(Problem(f"the environment variable {name} {what}", file, line))
            return ""
        return value

    pieces = []
    end = 0
    for found in _ENV.finditer(text):
        pieces.append(text[end : found.start()])
        pieces.append(replaced(found))
        end = found.end()
    pieces.append(text[end:])
    problems.extend(_others(text, file))
    if problems:
        raise ConfigurationError(sorted(problems, key=lambda problem: problem.line))
    return "".join(pieces)


def _others(text: str, file: str) -> list[Problem]:
    rest = _ENV.sub(lambda found: " " * (found.end() - found.start()), text)
    message = 'only the template {{ env "NAME" }} is supported, not Go\'s template language'
    return [Problem(message, file, text.count("\n", 0, found.start()) + 1) for found in re.finditer(r"\{\{", rest)]
