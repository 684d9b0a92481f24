"""The only place where a regular expression out of a configuration is compiled.

Traefik's expressions run in linear time; Python's do not have to. So an expression is refused when it could take
more than linear time for structural reasons: a repetition inside a repetition, more than three open-ended
repetitions, look-around, back-references. And ``$`` means the end, not "before a last line feed" (S-210, S-212).

Imports nothing but the standard library: workers use it as well.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

# The parse tree of an expression has no public name.
_constants: Any = import_module("re._constants")
_parser: Any = import_module("re._parser")

MAX_LENGTH = 1024
MAX_OPEN_REPETITIONS = 3
MAX_REPETITIONS = 12
MAX_SUBJECT = 512
"""Bytes that a caller may let a pattern search through."""

_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_FORBIDDEN = {
    _constants.ASSERT: "look-around",
    _constants.ASSERT_NOT: "look-around",
    _constants.GROUPREF: "a back-reference",
    _constants.GROUPREF_EXISTS: "a conditional group",
}


class BadPattern(ValueError):
    """The expression does not compile or could run for too long."""


def compile_pattern(text: str) -> re.Pattern[str]:
    """Compile an expression in Go's (RE2) spelling. Raises BadPattern with the reason."""
    if len(text) > MAX_LENGTH:
        raise BadPattern(f"is longer than {MAX_LENGTH} characters")
    python = _python_spelling(text)
    try:
        tree = _parser.parse(python)
        pattern = re.compile(python)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadPattern(f"is no regular expression: {error}") from error
    found = _repetitions(tree, inside=False)
    if found.count(True) > MAX_OPEN_REPETITIONS or len(found) > MAX_REPETITIONS:
        raise BadPattern(
            f"has more than {MAX_OPEN_REPETITIONS} open-ended (*, +) or {MAX_REPETITIONS} optional repetitions"
        )
    return pattern


def _python_spelling(text: str) -> str:
    """``$`` and ``\\z`` are Python's ``\\Z``; inside ``[…]`` a dollar sign is itself."""
    out = []
    in_class = False
    position = 0
    while position < len(text):
        char = text[position]
        if char == "\\":
            pair = text[position : position + 2]
            out.append(r"\Z" if pair == r"\z" else pair)
            position += 2
            continue
        if char == "[" and not in_class:
            in_class = True
            end = position + 1 + (text[position + 1 : position + 2] == "^")
            if text[end : end + 1] == "]":
                out.append(text[position : end + 1])
                position = end + 1
                continue
        elif char == "]":
            in_class = False
        out.append(r"\Z" if char == "$" and not in_class else char)
        position += 1
    return "".join(out)


def _repetitions(tree: Any, inside: bool) -> list[bool]:
    """One entry for each repetition of variable length, True when open-ended; BadPattern for one in another."""
    found: list[bool] = []
    for operator, argument in tree:
        if operator in _FORBIDDEN:
            raise BadPattern(f"uses {_FORBIDDEN[operator]}, which cannot run in linear time")
        if operator in _REPEATS:
            least, most, body = argument
            if least != most:
                if inside:
                    raise BadPattern("has a repetition inside a repetition, which can run for ever")
                found.append(most > 16)
            found += _repetitions(body, inside or most > 1)
        elif operator is _constants.SUBPATTERN:
            found += _repetitions(argument[3], inside)
        elif operator is _constants.BRANCH:
            for branch in argument[1]:
                found += _repetitions(branch, inside)
        elif operator is _constants.ATOMIC_GROUP:
            found += _repetitions(argument, inside)
    return found
