"""The tags of blueprints: what each one is, and what becomes of it (``contracts/identity.md`` section 13).

Reading a file only builds these; nothing is looked up then. ``resolved`` walks the data of one entry when its turn has
come, because a tag may ask for what an earlier entry has made. A tag knows its line, and so does what is wrong with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from doorward.config.problems import nearest
from doorward.identity.blueprints.errors import Wrong

NOTHING = object()
LONGEST_TEXT = 1 << 20
MOST_STEPS = 100_000
"""Values that one file may make: nested loops multiply (S-611)."""
MOST_LETTERS = 1 << 24
"""In all the texts among these values: one text can be named many times."""


class Asked(Protocol):
    """What tags may look at; see ``scope``."""

    loops: list[tuple[Any, Any]]
    steps: int
    letters: int

    def context(self, name: str) -> Any: ...
    def environment(self, name: str) -> str | None: ...
    def file(self, path: str) -> str | None: ...
    def key_of(self, name: str) -> Any: ...
    def found(self, model: str, wanted: Mapping[str, Any]) -> Any: ...
    def found_object(self, model: str, wanted: Mapping[str, Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Tag:
    """One use of a tag, not looked at yet."""

    name: str
    value: Any
    """Text, a list or a mapping, with tags inside."""
    line: int


def resolved(value: Any, asked: Asked) -> Any:
    """Plain data. Raises Wrong, Follows."""
    asked.steps += 1
    if asked.steps > MOST_STEPS:
        raise Wrong(f"makes more than {MOST_STEPS} values")
    if isinstance(value, str):
        asked.letters += len(value)
        if asked.letters > MOST_LETTERS:
            raise Wrong(f"makes texts of more than {MOST_LETTERS} characters in all")
    if isinstance(value, Tag):
        try:
            made = MEANINGS[value.name](value.value, asked)
            return resolved(made, asked) if isinstance(made, str) else made
        except Wrong as wrong:
            if not wrong.line:
                wrong.line = value.line
                wrong.message = f"!{value.name}: {wrong.message}"
            raise
    if isinstance(value, list):
        return [resolved(item, asked) for item in value]
    if isinstance(value, dict):
        return {key: resolved(item, asked) for key, item in value.items()}
    return value


def _text_or_default(value: Any, asked: Asked, what: str) -> tuple[str, Any]:
    """``NAME`` or ``[NAME, default]``; without a default ``NOTHING``."""
    if isinstance(value, list) and len(value) == 2:
        name, default = resolved(value[0], asked), value[1]
    else:
        name, default = value, NOTHING
    if not isinstance(name, str) or not name:
        raise Wrong(f"takes {what}, or a list of {what} and a default")
    return name, default


def _key_of(value: Any, asked: Asked) -> Any:
    if not isinstance(value, str):
        raise Wrong("takes the id of an entry")
    return asked.key_of(value)


def _context(value: Any, asked: Asked) -> Any:
    name, default = _text_or_default(value, asked, "a name")
    found = asked.context(name)
    if found is NOTHING:
        if default is NOTHING:
            return None
        return resolved(default, asked)
    return resolved(found, asked)


def _env(value: Any, asked: Asked) -> Any:
    name, default = _text_or_default(value, asked, "a variable's name")
    found = asked.environment(name)
    if found is None and default is not NOTHING:
        return resolved(default, asked)
    return found


def _file(value: Any, asked: Asked) -> Any:
    path, default = _text_or_default(value, asked, "a path")
    found = asked.file(path)
    if found is not None:
        return found
    if default is NOTHING:
        raise Wrong(f"there is no file {path}")
    return resolved(default, asked)


def _arguments(value: Any, least: int, most: int | None, usage: str) -> list[Any]:
    if not isinstance(value, list) or len(value) < least or (most is not None and len(value) > most):
        raise Wrong(f"takes {usage}")
    return value


def _format(value: Any, asked: Asked) -> str:
    template, *arguments = [resolved(item, asked) for item in _arguments(value, 1, None, "[text, values…]")]
    if not isinstance(template, str):
        raise Wrong("its first argument is a text")
    # A width of a thousand million would be a thousand million spaces.
    widths = [*_widths_in(template)]
    if any(width == "*" or len(width) > 4 for width in widths):
        raise Wrong("a width or precision is written as at most four digits")
    if sum(int(width or "0") for width in widths) > LONGEST_TEXT:
        raise Wrong("makes a text of more than a million characters")
    try:
        made = template % tuple(arguments)
    except (TypeError, ValueError) as error:
        raise Wrong(f"{template!r} does not fit its values: {error}") from error
    if len(made) > LONGEST_TEXT:
        raise Wrong("makes a text of more than a million characters")
    return made


def _widths_in(text: str) -> Iterator[str]:
    """The digits of each width and precision, perhaps none; ``*`` where a value would say it."""
    for piece in text.split("%")[1:]:
        width, _, precision = piece.lstrip("#0- +").partition(".")
        for part in (width, precision):
            yield "*" if part.startswith("*") else part[: len(part) - len(part.lstrip("0123456789"))]


def _find(value: Any, asked: Asked) -> Any:
    return asked.found(*_wanted(value, asked))


def _find_object(value: Any, asked: Asked) -> Any:
    return asked.found_object(*_wanted(value, asked))


def _wanted(value: Any, asked: Asked) -> tuple[str, dict[str, Any]]:
    model, *pairs = _arguments(value, 2, None, "[model, [field, value], …]")
    wanted = {}
    for pair in (resolved(each, asked) for each in pairs):
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise Wrong("takes [model, [field, value], …]")
        wanted[pair[0]] = pair[1]
    model = resolved(model, asked)
    if not isinstance(model, str):
        raise Wrong("its first argument is the name of a model")
    return model, wanted


def _if(value: Any, asked: Asked) -> Any:
    if not isinstance(value, list):
        value = [{"true": True, "false": False}.get(str(value).lower(), value)]
    arguments = _arguments(value, 1, 3, "[condition] or [condition, if true, if false]")
    holds = bool(resolved(arguments[0], asked))
    if len(arguments) == 1:
        return holds
    if len(arguments) == 2:
        raise Wrong("takes [condition] or [condition, if true, if false]")
    return resolved(arguments[1 if holds else 2], asked)


def _xor(values: list[bool]) -> bool:
    result = values[0]
    for value in values[1:]:
        result = result != value
    return result


CONDITIONS: dict[str, Callable[[list[Any]], bool]] = {
    "AND": lambda values: all(values),
    "NAND": lambda values: not all(values),
    "OR": lambda values: any(values),
    "NOR": lambda values: not any(values),
    "XOR": lambda values: _xor([bool(value) for value in values]),
    "XNOR": lambda values: not _xor([bool(value) for value in values]),
    "EQ": lambda values: all(value == values[0] for value in values),
    "NEQ": lambda values: not all(value == values[0] for value in values),
}


def _condition(value: Any, asked: Asked) -> bool:
    mode, *values = _arguments(value, 2, None, "[mode, values…]")
    if not isinstance(mode, str) or mode.upper() not in CONDITIONS:
        raise Wrong(f"there is no mode {mode!r}; possible here: {', '.join(CONDITIONS)}")
    return CONDITIONS[mode.upper()]([resolved(each, asked) for each in values])


def _enumerate(value: Any, asked: Asked) -> Any:
    over, form, body = _arguments(value, 3, 3, "[what to go through, SEQ or MAP, what to make of each]")
    if form not in ("SEQ", "MAP"):
        raise Wrong(f"makes a SEQ or a MAP, not {form!r}")
    with _inside(asked, (NOTHING, NOTHING)):  # depths count from this loop, in what it goes through as well
        over = resolved(over, asked)
    if not isinstance(over, list | dict | str):
        raise Wrong(f"cannot go through {over!r}: a list, a mapping or a text is needed")
    made = []
    for pair in over.items() if isinstance(over, dict) else enumerate(over):
        with _inside(asked, pair):
            made.append(resolved(body, asked))
    if form == "SEQ":
        return made
    if not all(isinstance(item, list) and len(item) == 2 for item in made):
        raise Wrong("a MAP is made of [key, value]")
    return {str(key): item for key, item in made}


@contextmanager
def _inside(asked: Asked, pair: tuple[Any, Any]) -> Iterator[None]:
    asked.loops.append(pair)
    try:
        yield
    finally:
        asked.loops.pop()


def _item(value: Any, asked: Asked, place: int) -> Any:
    depth = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 4 else -1
    if depth < 0:
        raise Wrong("takes a depth: 0 for the loop around it, 1 for the one around that")
    if depth >= len(asked.loops):
        raise Wrong(f"there is no !Enumerate at depth {depth}")
    found = asked.loops[-1 - depth][place]
    if found is NOTHING:
        raise Wrong("a loop cannot go through its own item; the one around it has depth 1")
    return resolved(found, asked)  # counted again: items that share their parts would grow without any steps


def _at_index(value: Any, asked: Asked) -> Any:
    container, index, *default = [
        resolved(item, asked) for item in _arguments(value, 2, 3, "[list or mapping, index] or with a default")
    ]
    try:
        if isinstance(container, list) and isinstance(index, int):
            return container[index]
        if isinstance(container, dict):
            return container[index]
    except (IndexError, KeyError, TypeError):
        pass
    if default:
        return default[0]
    if not isinstance(container, list | dict):
        raise Wrong(f"cannot look into {container!r}: a list or a mapping is needed")
    raise Wrong(f"there is nothing at {index!r}, and no default")


def _parse_json(value: Any, asked: Asked) -> Any:
    text = resolved(value, asked)
    if isinstance(text, list) and len(text) == 1:
        text = text[0]
    try:
        return resolved(json.loads(text, parse_constant=_no_number), asked)
    except (TypeError, ValueError, RecursionError) as error:
        raise Wrong(f"this is no JSON: {error}") from error


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


MEANINGS: dict[str, Callable[[Any, Asked], Any]] = {
    "KeyOf": _key_of,
    "Context": _context,
    "Env": _env,
    "File": _file,
    "Format": _format,
    "Find": _find,
    "FindObject": _find_object,
    "If": _if,
    "Condition": _condition,
    "Enumerate": _enumerate,
    "Index": lambda value, asked: _item(value, asked, 0),
    "Value": lambda value, asked: _item(value, asked, 1),
    "AtIndex": _at_index,
    "ParseJSON": _parse_json,
}


def _maker(name: str) -> Callable[[Any, int], Tag]:
    return lambda value, line: Tag(name, value, line)


MAKERS = {f"!{name}": _maker(name) for name in MEANINGS}
"""For the reader of YAML."""


def hint(name: str, valid: Any) -> str:
    """`` (did you mean …?)`` or nothing."""
    near = nearest(name, valid)
    return f"; {near}" if near else ""
