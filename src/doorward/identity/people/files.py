"""Files of users: CSV with a header, or a JSON list of objects, both with the same columns.

A file that cannot be read as a whole is refused as a whole (``BadFile``); a row that makes no sense is refused alone,
by its line. Cells that a spreadsheet would take for a formula are written with an apostrophe before them, and read
without it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

COLUMNS = ("username", "name", "email", "type", "path", "is_active", "groups", "attributes")
SECRET = "password_hash"  # noqa: S105 - the name of a column
TOLD = ("last_login", "date_joined", "uuid")
"""Written by an export; read and left alone."""
MOST = 50_000
"""Rows of a file."""
SEPARATOR = ";"
"""Between the groups in a cell."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class BadFile(Exception):
    """No row of this can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a line says about one user; what it does not say is not in ``values``."""

    line: int
    """In a CSV file; in a JSON list the place of the object, from 1."""
    values: dict[str, Any]
    problem: str = ""

    @property
    def username(self) -> str:
        name = self.values.get("username")
        return name if isinstance(name, str) else ""


def read(text: str) -> list[Row]:
    """Raises BadFile."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise BadFile(_("There is no user in the file."))
    if "\0" in text:
        raise BadFile(_("The file holds a NUL character: it is no text."))
    rows = list(_of_json(text) if text.lstrip()[:1] in ("[", "{") else _of_csv(text))
    if len(rows) > MOST:
        raise BadFile(_("The file has more than %(value)s rows.") % {"value": MOST})
    if not rows:
        raise BadFile(_("There is no user in the file."))
    return rows


def _of_csv(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        _require_columns(header)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                yield Row(reader.line_num, {}, f"{len(cells)} cells in a file of {len(header)} columns.")
                continue
            yield _row(reader.line_num, dict(zip(header, map(_plain, cells), strict=True)))
    except csv.Error as error:
        raise BadFile(_("Line %(line_num)s: %(error)s.") % {"line_num": reader.line_num, "error": error}) from error


def _of_json(text: str) -> Iterator[Row]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFile(_("This is no JSON: %(error)s") % {"error": error}) from error
    users = content.get("users") if isinstance(content, dict) else content
    if not isinstance(users, list):
        raise BadFile(_("A list of users is expected, or an object with one as “users”."))
    for place, user in enumerate(users, 1):
        if not isinstance(user, dict):
            yield Row(place, {}, "Not an object.")
            continue
        _require_columns(list(user))
        yield _row(place, user)


def _require_columns(names: list[str]) -> None:
    if "username" not in names:
        raise BadFile(_("There is no column “username”."))
    if "password" in names:
        raise BadFile(
            _("Passwords in clear are not read; “%(value)s” takes hashes in Django's form.") % {"value": SECRET}
        )
    if unknown := set(names) - {*COLUMNS, SECRET, *TOLD}:
        listed = ", ".join((*COLUMNS, SECRET))
        raise BadFile(
            _("Unknown column %(names)s; there are %(listed)s.")
            % {"names": ", ".join(sorted(map(repr, unknown))), "listed": listed}
        )
    if len(set(names)) != len(names):
        raise BadFile(_("A column stands there twice."))


def _row(line: int, cells: dict[str, Any]) -> Row:
    values: dict[str, Any] = {}
    for column, cell in cells.items():
        if column in TOLD:
            continue
        try:
            values[column] = _value(column, cell)
        except ValueError as error:
            return Row(line, {"username": cells.get("username")}, f"{column}: {error}")
    return Row(line, values)


def _value(column: str, cell: Any) -> Any:
    """Raises ValueError with words that hold nothing of a secret cell."""
    match column:
        case "is_active":
            known = cell if isinstance(cell, bool) else _BOOLEANS.get(str(cell).strip().lower())
            if known is None:
                raise ValueError("true or false is expected")
            return known
        case "groups":
            names = cell.split(SEPARATOR) if isinstance(cell, str) else cell
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError("names of groups are expected")
            return [name.strip() for name in names if name.strip()]
        case "attributes":
            found = (json.loads(cell) if cell.strip() else {}) if isinstance(cell, str) else cell
            if not isinstance(found, dict):
                raise ValueError("a JSON object is expected")
            return found
    if not isinstance(cell, str):
        raise ValueError("text is expected")
    return cell.strip()


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:2] in _FORMULA else cell


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def write_csv(users: Iterable[dict[str, Any]]) -> str:
    """Users as ``exporting`` describes them, one a line."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow((*COLUMNS, *TOLD))
    for user in users:
        writer.writerow([_harmless(_cell(user[column])) for column in (*COLUMNS, *TOLD)])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return SEPARATOR.join(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is None else str(value)


def write_json(users: Iterable[dict[str, Any]]) -> str:
    """The same as a JSON list."""
    return json.dumps(list(users), ensure_ascii=False, indent=2) + "\n"
