"""TOML files, with line numbers for the errors.

``tomllib`` keeps none, so a second, simple look at the text finds where each key stands. It only serves messages:
where it is wrong, an error names a neighbouring line.
"""

from __future__ import annotations

import re
import tomllib

from doorward.config.document import Document, KeyPath
from doorward.config.problems import ConfigurationError, Problem

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_@*:-]+|"[^"]*"|'[^']*'""")
_ERROR_LINE = re.compile(r"\(at line (\d+), column \d+\)")


def read_toml(text: str, file: str) -> Document:
    """Parse a TOML document. An empty one has None as its data. Raises ConfigurationError."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _ERROR_LINE.search(str(error))
        message = _ERROR_LINE.sub("", str(error)).strip()
        line = int(found.group(1)) if found else 0
        raise ConfigurationError([Problem(f"is not valid TOML: {message}", file, line)]) from error
    document = Document(data or None, file)
    _find_lines(text, document)
    return document


def _find_lines(text: str, document: Document) -> None:
    table: KeyPath = ()
    counted: dict[KeyPath, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _parts(header.group(2))
            if header.group(1) == "[[":
                counted[table] = counted.get(table, -1) + 1
                table = (*table, counted[table])
            document.note(table, number)
        elif key := _KEY.match(line):
            document.note((*table, *_parts(key.group(1))), number)


def _parts(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
