"""Writes the tables of options in docs/reference/ from the types that decode the configuration.

A page keeps its own prose; what stands between ``<!-- options -->`` and ``<!-- /options -->`` is replaced. So the
reference cannot promise an option that does not exist, or forget one that does.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from doorward.config.dynamic import DynamicConfiguration
from doorward.config.outpost import OutpostConfiguration
from doorward.config.problems import NOT_YET
from doorward.config.section import Section, parse_duration
from doorward.config.static import StaticConfiguration

REFERENCE = Path(__file__).parents[1] / "reference"
PAGES: dict[str, type[Section]] = {
    "static.md": StaticConfiguration,
    "dynamic.md": DynamicConfiguration,
    "outpost.md": OutpostConfiguration,
}
BEGIN, END = "<!-- options -->", "<!-- /options -->"


def main() -> None:
    for name in PAGES:
        (REFERENCE / name).write_text(page(name))


def page(name: str) -> str:
    """The page as it should be: its prose, with the tables of today."""
    before, rest = (REFERENCE / name).read_text().split(BEGIN)
    after = rest.partition(END)[2]
    tables = "\n".join(_section("", PAGES[name])).strip()
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def _section(path: str, section: type[Section]) -> Iterator[str]:
    """A heading, the section's own options as a table, then the sections inside it."""
    plain: list[str] = []
    inner: list[tuple[str, type[Section]]] = []
    meanings = _meanings(section)
    for name, field in section.model_fields.items():
        key = f"{path}.{field.alias or name}".lstrip(".")
        child = _child(field.annotation)
        if child:
            inner.append((key + child[0], child[1]))
        else:
            plain.append(f"| `{field.alias or name}` | {_default(field)} | {_one_line(meanings.get(name))} |")
    refusals = list(_refusals(section))
    if path and (plain or refusals or not inner):
        yield f"## `{path}`\n"
        if section.__doc__ and section.__doc__ != Section.__doc__:
            yield f"{_one_line(section.__doc__)}\n"
    elif not path:
        yield "## At the top\n"
    if plain:
        yield from ("| option | default | meaning |", "|---|---|---|", *plain, "")
    if not plain and not inner and path:
        yield "It has no options: write `{}`.\n"
    yield from refusals
    for key, inside in inner:
        yield from _section(key, inside)


def _meanings(section: type[Section]) -> dict[str, str]:
    """What stands below each field, those of the section's parents included."""
    found: dict[str, str] = {}
    for parent in reversed(section.__mro__):
        if not issubclass(parent, Section):
            continue
        (written,) = ast.parse(textwrap.dedent(inspect.getsource(parent))).body
        assert isinstance(written, ast.ClassDef)
        for field, below in pairwise(written.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                text = below.value if isinstance(below, ast.Expr) else None
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    found[field.target.id] = inspect.cleandoc(text.value)
    return found


def _refusals(section: type[Section]) -> Iterator[str]:
    waiting = [f"`{name}`" for name, reason in section.refused.items() if reason == NOT_YET]
    if waiting:
        yield f"Not supported yet, and refused: {', '.join(waiting)}.\n"
    for reason in dict.fromkeys(reason for reason in section.refused.values() if reason != NOT_YET):
        names = ", ".join(f"`{name}`" for name, other in section.refused.items() if other == reason)
        yield f"Refused: {names} ({reason}).\n"


def _child(annotation: Any) -> tuple[str, type[Section]] | None:
    """The section that an option holds, and how it is reached: ``""``, ``.<name>`` or ``[]``."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return "", annotation
    origin, arguments = get_origin(annotation), get_args(annotation)
    inner = [child for child in map(_child, arguments) if child]
    if not inner:
        return None
    how, section = inner[-1]
    if origin is dict:
        return f".<name>{how}", section
    return (f"[]{how}" if origin is tuple else how), section


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if any(getattr(mark, "func", None) is parse_duration for mark in field.metadata):
        return f"`{value:g}s`"
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case NoneType() | "" | () | {}:
            return ""
        case tuple():
            return f"`[{', '.join(map(str, value))}]`"
        case _ if value is PydanticUndefined:
            return ""
        case _:
            return f"`{value}`"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").replace("``", "`").replace("|", "\\|").split())


if __name__ == "__main__":
    main()
