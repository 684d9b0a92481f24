"""From the text of a blueprint to its entries, each with its line. Nothing of the database is looked at here.

Only plain data and the tags of ``tags`` are read: whatever else YAML could make is refused, like aliases that multiply
(S-611; ``config.yaml_text``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from doorward.config.document import MAX_BYTES, Document
from doorward.config.problems import ConfigurationError, Problem
from doorward.identity.blueprints.errors import Unusable
from doorward.identity.blueprints.tags import MAKERS, hint

INSTANTIATE = "blueprints.goauthentik.io/instantiate"
DESCRIPTION = "blueprints.goauthentik.io/description"
TOP = ("version", "metadata", "context", "entries")
ENTRY = ("model", "id", "state", "conditions", "identifiers", "attrs", "permissions")
MOST_ENTRIES = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """One object that the file is about. Everything may still hold tags."""

    place: str
    """As errors name it: ``entries[3]``."""
    line: int
    lines: Mapping[str, int]
    """Of its fields, such as ``attrs.name``."""
    model: Any
    id: str = ""
    state: Any = "present"
    conditions: list[Any] = field(default_factory=list)
    identifiers: dict[str, Any] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)
    permissions: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Blueprint:
    file: str
    name: str
    labels: Mapping[str, Any]
    context: Mapping[str, Any]
    entries: tuple[Entry, ...]

    @property
    def applies_itself(self) -> bool:
        """Whether it is to be applied without being asked for."""
        return str(self.labels.get(INSTANTIATE, "true")).lower() != "false"


def read(text: str, file: str) -> Blueprint:
    """Raises Unusable with everything that is wrong with its form."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Unusable([Problem(f"is larger than {MAX_BYTES} bytes", file)])
    from doorward.config.yaml_text import read_yaml  # a library that most installations never need

    try:
        document = read_yaml(text, file, MAKERS)
    except ConfigurationError as error:
        raise Unusable(error.problems) from error
    except (RecursionError, UnicodeError) as error:
        raise Unusable([Problem("cannot be read", file)]) from error
    return _Reader(document).read()


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def read(self) -> Blueprint:
        data: Any = self.document.data
        if not isinstance(data, dict):
            raise Unusable([self._problem("is no blueprint: a mapping with version and entries is expected", ())])
        for key in data:
            if key not in TOP:
                self._note(f"{key!r} is no part of a blueprint{hint(key, TOP)}", (key,))
        if data.get("version") != 1:
            self._note(f"version is {data.get('version')!r}; only version 1 is known", ("version",))
        metadata = self._mapping(data.get("metadata"), ("metadata",))
        context = self._mapping(data.get("context"), ("context",))
        labels = self._mapping(metadata.get("labels"), ("metadata", "labels"))
        name = metadata.get("name", "")
        entries = tuple(self._entries(data.get("entries")))
        if not isinstance(name, str):
            self._note("the name is a text", ("metadata", "name"))
        if len(entries) > MOST_ENTRIES:
            self._note(f"has more than {MOST_ENTRIES} entries", ("entries",))
        seen: dict[str, Entry] = {}
        for entry in entries:
            if entry.id and seen.setdefault(entry.id, entry) is not entry:
                self.problems.append(
                    Problem(
                        f"the id {entry.id!r} is that of line {seen[entry.id].line} as well",
                        self.document.file,
                        entry.lines.get("id", entry.line),
                        entry.place,
                    )
                )
        if self.problems:
            raise Unusable(self.problems)
        return Blueprint(self.document.file, name, labels, context, entries)

    def _entries(self, data: Any) -> Iterator[Entry]:
        if isinstance(data, dict):  # a mapping of lists: the names are for people
            for name, part in data.items():
                yield from self._list(part, ("entries", name))
        else:
            yield from self._list(data, ("entries",))

    def _list(self, data: Any, path: tuple[str | int, ...]) -> Iterator[Entry]:
        if not isinstance(data, list):
            self._note("a list of entries is expected", path)
            return
        for number, item in enumerate(data):
            entry = self._entry(item, (*path, number))
            if entry is not None:
                yield entry

    def _entry(self, data: Any, path: tuple[str | int, ...]) -> Entry | None:
        if not isinstance(data, dict):
            self._note("an entry is a mapping", path)
            return None
        for key in data:
            if key not in ENTRY:
                self._note(f"{key!r} is no part of an entry{hint(key, ENTRY)}", (*path, key))
        if "model" not in data:
            self._note("model is missing", path)
            return None
        listed = {key: self._listed(data.get(key), (*path, key)) for key in ("conditions", "permissions")}
        return Entry(
            place=_place(path),
            line=self.document.line(path),
            lines=dict(self._lines(data, path)),
            model=data["model"],
            id=str(data.get("id") or ""),
            state=data.get("state") or "present",
            identifiers=self._mapping(data.get("identifiers"), (*path, "identifiers")),
            attrs=self._mapping(data.get("attrs"), (*path, "attrs")),
            **listed,
        )

    def _lines(self, data: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[tuple[str, int]]:
        for key, value in data.items():
            yield key, self.document.line((*path, key))
            if isinstance(value, dict):
                for name in value:
                    yield f"{key}.{name}", self.document.line((*path, key, name))

    def _mapping(self, data: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
        if data is None:
            return {}
        if not isinstance(data, dict):
            self._note("a mapping is expected", path)
            return {}
        return data

    def _listed(self, data: Any, path: tuple[str | int, ...]) -> list[Any]:
        if data is None:
            return []
        if not isinstance(data, list):
            self._note("a list is expected", path)
            return []
        return data

    def _note(self, message: str, path: tuple[str | int, ...]) -> None:
        self.problems.append(self._problem(message, path))

    def _problem(self, message: str, path: tuple[str | int, ...]) -> Problem:
        return Problem(message, self.document.file, self.document.line(path), _place(path))


def _place(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
