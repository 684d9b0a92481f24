"""The one decoder: a document becomes a typed configuration, or every reason why not.

First the keys are matched against the types, without regard to case; then pydantic checks the values. Both report
everything they find, each with file, line and path.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from doorward.config.document import Document, KeyPath, Plain, read_text
from doorward.config.problems import ConfigurationError, Problem, joined, nearest
from doorward.config.section import Section
from doorward.config.toml_text import read_toml
from doorward.config.yaml_text import read_yaml

SectionT = TypeVar("SectionT", bound=Section)

_SECRET = frozenset({
    "key", "keyfile", "database", "mail", "certfile", "cert", "ca", "rootcas", "secret", "clientsecret",
    "previoussecrets", "token",
})  # fmt: skip
_EMPTY = "is empty: give it a value or remove it ({} stands for all defaults)"
_SHOWN = 60
"""Characters of a wrong value that an error repeats."""


def parse(text: str, file: Path) -> Document:
    """The document in ``text``; the name of ``file`` says whether it is TOML or YAML. Raises ConfigurationError."""
    if file.suffix.lower() == ".toml":
        return read_toml(text, str(file))
    return read_yaml(text, str(file))


def read_document(path: Path) -> Document:
    """Read and parse a file. Raises ConfigurationError."""
    return parse(read_text(path), path)


def decode(document: Document, section: type[SectionT]) -> SectionT:
    """``document`` as a ``section``. Raises ConfigurationError with everything that is wrong."""
    keys = _Keys(document)
    data = keys.matched(document.data, section, ())
    decoded: SectionT | None = None
    problems = keys.problems
    try:
        decoded = section.model_validate(data)
    except ValidationError as error:
        found = (_problem(document, details) for details in error.errors(include_url=False))
        problems = problems + [problem for problem in found if problem not in problems]
    if decoded is None or problems:
        raise ConfigurationError(sorted(problems, key=lambda problem: problem.line))
    return decoded


class _Keys:
    """Gives every key the spelling of its type, and reports those that no type has."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def report(self, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(message, self.document.file, self.document.line(path), joined(path)))

    def matched(self, value: Plain, annotation: object, path: KeyPath) -> Plain:
        shape = _shape_of(annotation)
        if shape.section is not None:
            return self.section(value, shape.section, path)
        if shape.items is not None and isinstance(value, dict):
            return {key: self.matched(item, shape.items, (*path, key)) for key, item in value.items()}
        if shape.parts is not None and isinstance(value, list):
            parts = shape.parts
            return [self.matched(item, parts, (*path, number)) for number, item in enumerate(value)]
        return value

    def section(self, value: Plain, section: type[Section], path: KeyPath) -> Plain:
        if not isinstance(value, dict):
            return value
        known = _keys_of(section)
        matched: dict[str, Plain] = {}
        for key, item in value.items():
            folded = key.lower()
            field = known.fields.get(folded)
            if folded in known.refused:
                self.report((*path, key), known.refused[folded])
            elif field is None:
                hint = nearest(key, (field.alias for field in known.fields.values()))
                self.report((*path, key), "is not known" + (f"; {hint}" if hint else ""))
            elif field.alias in matched:
                self.report((*path, key), "is given twice, in two spellings")
            elif item is None and field.accepts_none:
                self.report((*path, key), _EMPTY)
            elif field.is_leaf:
                matched[field.alias] = item
            else:
                matched[field.alias] = self.matched(item, field.annotation, (*path, key))
        return matched


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is inside a type."""

    section: type[Section] | None = None
    items: object | None = None
    """The type of the values of a dict."""
    parts: object | None = None
    """The type of the parts of a tuple."""


@dataclass(frozen=True, slots=True)
class _Field:
    alias: str
    annotation: object
    accepts_none: bool
    is_leaf: bool
    """There are no keys in it."""


@dataclass(frozen=True, slots=True)
class _SectionKeys:
    """The keys that a section knows, and those that it refuses with a reason, in lower case."""

    fields: Mapping[str, _Field]
    refused: Mapping[str, str]


@cache
def _shape_of(annotation: object) -> _Shape:
    wanted = _without_wrappers(annotation)
    if isinstance(wanted, type) and issubclass(wanted, Section):
        return _Shape(section=wanted)
    arguments = get_args(wanted)
    if get_origin(wanted) is dict:
        return _Shape(items=arguments[1])
    if get_origin(wanted) is tuple:
        return _Shape(parts=arguments[0])
    return _Shape()


@cache
def _keys_of(section: type[Section]) -> _SectionKeys:
    fields: dict[str, _Field] = {}
    for name, field in section.model_fields.items():
        alias = field.alias or name
        is_leaf = _is_leaf(field.annotation)
        fields[alias.lower()] = _Field(alias, field.annotation, _accepts_none(field.annotation), is_leaf)
    return _SectionKeys(fields, {name.lower(): reason for name, reason in section.refused.items()})


def _is_leaf(annotation: object) -> bool:
    shape = _shape_of(annotation)
    inside = shape.items if shape.items is not None else shape.parts
    return shape.section is None and (inside is None or _is_leaf(inside))


def _without_wrappers(annotation: object) -> object:
    """The type itself, without ``Annotated`` and ``| None``."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            present = [part for part in get_args(annotation) if part is not type(None)]
            annotation = present[0]
        else:
            return annotation


def _accepts_none(annotation: object) -> bool:
    """In the type None means "not given"; written down it would be neither on nor off."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return get_origin(annotation) in (Union, types.UnionType) and type(None) in get_args(annotation)


def _problem(document: Document, details: ErrorDetails) -> Problem:
    path = tuple(part for part in details["loc"] if part != "[key]")
    return Problem(_message(details, path), document.file, document.line(path), joined(path))


def _message(details: ErrorDetails, path: KeyPath) -> str:
    kind = details["type"]
    value = details["input"]
    if kind == "missing":
        return "is missing"
    if value is None:
        return _EMPTY
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"must be a mapping{_shown(value, path)}"
    if kind in ("tuple_type", "list_type"):
        return f"must be a list{_shown(value, path)}"
    if kind == "string_type":
        return f"must be one text{_shown(value, path)}"
    if kind == "literal_error":
        valid = [part.strip("' ") for part in str(details.get("ctx", {}).get("expected", "")).split(" or ")]
        words = [word.strip("' ") for part in valid for word in part.split(",")]
        hint = nearest(str(value), words)
        return f"must be one of {', '.join(words)}{_shown(value, path)}" + (
            f"; {hint}" if hint.startswith("did") else ""
        )
    message = details["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:] + _shown(value, path)


def _name(path: KeyPath) -> str:
    """The key that the value stands under, itself or in a list."""
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _shown(value: object, path: KeyPath) -> str:
    """The wrong value, where it is short and no secret."""
    if isinstance(value, dict | list | tuple) or _name(path).lower() in _SECRET:
        return ""
    text = str(value)
    if "-----BEGIN" in text:
        return ""
    return f", not {text[:_SHOWN] + ('…' if len(text) > _SHOWN else '')!r}"
