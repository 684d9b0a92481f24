"""YAML as people who write Traefik files mean it: version 1.2 words, no surprises, no bombs.

PyYAML speaks YAML 1.1, where ``on:`` is a boolean, ``12:30`` is 750 and ``010`` is 8. Here only its scanner is
used; the values are built from its events, so that every key has a line, a duplicate key is an error, an alias may
not multiply (S-715: 100 aliases, ten times the size), and no tag makes anything but plain data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import yaml

from doorward.config.document import Document, KeyPath, Plain
from doorward.config.problems import ConfigurationError, Problem, joined, nearest

MAX_ALIASES = 100
MAX_EXPANSION = 10
"""Nodes after aliases are followed, as a multiple of the nodes written."""
MAX_DEPTH = 64

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,40}", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]{1,40}", re.ASCII)
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,40}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_CORE = "tag:yaml.org,2002:"
_CORE_TAGS = frozenset(_CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq"))


Tagged = Callable[[Any, int], Any]
"""Makes something of what stands behind a tag (text, a list or a mapping) and of its line; may raise ValueError."""


def read_yaml(text: str, file: str, tags: Mapping[str, Tagged] | None = None) -> Document:
    """Parse one YAML document. An empty one has None as its data. Raises ConfigurationError.

    ``tags``: the tags that have a meaning, and what they make; any other is refused.
    """
    document = Document(None, file)
    try:
        _Builder(text, document, tags or {}).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # What ends too early is noticed after the last line.
        line = min(mark.line + 1, len(text.splitlines())) if mark else 0
        message = f"is not valid YAML: {error.problem or error.context or 'syntax error'}"
        raise ConfigurationError([Problem(message, file, line)]) from error
    except yaml.YAMLError as error:
        raise ConfigurationError([Problem(f"is not valid YAML: {error}", file)]) from error
    return document


class _Builder:
    def __init__(self, text: str, document: Document, tags: Mapping[str, Tagged]) -> None:
        self.tags = tags
        self.events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=_LOADER))
        self.document = document
        self.anchors: dict[str, tuple[Plain, int]] = {}
        self.aliases = 0
        self.written = 0
        self.expanded = 0

    def build(self) -> None:
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.refuse("has more than one document", event)
                self.document.data = self.value(next(self.events), (), 0)

    def refuse(self, message: str, event: yaml.Event, path: KeyPath = ()) -> NoReturn:
        line = _line(event)
        raise ConfigurationError([Problem(message, self.document.file, line, joined(path))])

    def value(self, event: yaml.Event, path: KeyPath, depth: int) -> Plain:
        if depth > MAX_DEPTH:
            self.refuse(f"is nested deeper than {MAX_DEPTH} levels", event, path)
        if path:
            self.document.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, path)
        before = self.expanded
        self.written += 1
        self.expanded += 1
        anchor: str | None = getattr(event, "anchor", None)
        if anchor is not None:
            self.anchors.pop(anchor, None)
        made = self.check_tag(event, path)
        built: Plain
        if isinstance(event, yaml.ScalarEvent):
            built = event.value if made else _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            built = self.sequence(path, depth)
        else:
            built = self.mapping(path, depth)
        if made:
            try:
                built = made(built, _line(event))
            except ValueError as error:
                self.refuse(str(error), event, path)
        if anchor is not None:
            self.anchors[anchor] = (built, self.expanded - before)
        return built

    def alias(self, event: yaml.AliasEvent, path: KeyPath) -> Plain:
        known = self.anchors.get(event.anchor or "")
        if known is None:
            self.refuse(f"refers to *{event.anchor}, which is not defined before", event, path)
        built, size = known
        self.aliases += 1
        self.expanded += size
        if self.aliases > MAX_ALIASES:
            self.refuse(f"has more than {MAX_ALIASES} aliases", event, path)
        if self.expanded > MAX_EXPANSION * max(self.written, 10):
            self.refuse(f"grows to more than {MAX_EXPANSION} times its size through aliases", event, path)
        return built

    def check_tag(self, event: yaml.Event, path: KeyPath) -> Tagged | None:
        tag: str | None = getattr(event, "tag", None)
        if tag is None or tag == "!" or tag in _CORE_TAGS:
            return None
        if tag not in self.tags:
            hint = nearest(tag, self.tags) if self.tags else "only plain data is read"
            self.refuse(f"has the tag {tag!r}; {hint or 'it is not known here'}", event, path)
        return self.tags[tag]

    def sequence(self, path: KeyPath, depth: int) -> list[Plain]:
        items: list[Plain] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self.value(event, (*path, len(items)), depth + 1))
        return items

    def mapping(self, path: KeyPath, depth: int) -> dict[str, Plain]:
        mapping: dict[str, Plain] = {}
        merged: dict[str, Plain] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.key(event, path)
            key_path = (*path, key.lower())
            if key == "<<" and getattr(event, "implicit", (False,))[0]:
                self.merge(self.value(next(self.events), key_path, depth + 1), merged, event, path)
                continue
            if key in mapping:
                self.refuse("is given twice", event, (*path, key))
            self.document.lines[key_path] = _line(event)
            item = next(self.events)
            if type(item) is yaml.ScalarEvent and item.anchor is None and item.tag is None and depth < MAX_DEPTH:
                # Nearly every value is one of these: ``value`` would find nothing else to do.
                self.written += 1
                self.expanded += 1
                mapping[key] = _scalar(item)
            else:
                mapping[key] = self.value(item, key_path, depth + 1)
        return {**merged, **mapping} if merged else mapping

    def key(self, event: yaml.Event, path: KeyPath) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self.refuse("has a key that is no plain word", event, path)
        self.written += 1
        self.expanded += 1
        return event.value

    def merge(self, value: Plain, into: dict[str, Plain], event: yaml.Event, path: KeyPath) -> None:
        """``<<: *defaults``: the keys of another mapping, where this one does not say otherwise."""
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                self.refuse("merges something that is no mapping", event, path)
            for key, item in source.items():
                into.setdefault(key, item)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 0


def _scalar(event: yaml.ScalarEvent) -> Plain:
    """The YAML 1.2 core schema; quoted text and anything that it does not know is text."""
    text: str = event.value
    plain = event.tag is None and event.implicit[0]
    if not plain and (event.tag is None or event.tag in ("!", _CORE + "str")):
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
