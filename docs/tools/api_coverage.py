"""Writes docs/reference/api-coverage.md: what of authentik's API its own client finds here, operation by operation.

Read off both sides: the operations of the official client's classes, and our own description. Run by hand when the API
has grown: ``DOORWARD_DATA=build/coverage .venv/bin/python docs/tools/api_coverage.py``.
"""

from __future__ import annotations

import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

PAGE = Path(__file__).parents[1] / "reference" / "api-coverage.md"
SHARED = frozenset({"page", "page_size", "ordering", "search"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the client."""

    name: str
    method: str
    path: str
    parameters: frozenset[str]
    """Of the query."""

    @property
    def room(self) -> str:
        return self.path.split("/")[1]

    @property
    def resource(self) -> str:
        """The path up to its first parameter."""
        return self.path.partition("{")[0]

    @property
    def verb(self) -> str:
        """What is left of the name without the resource's."""
        words = re.sub(r"[^a-z0-9]+", "_", self.resource.strip("/").lower())
        return self.name.removeprefix(words).strip("_") or self.name


@dataclass(slots=True)
class Row:
    """One resource."""

    covered: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unknown: dict[str, list[str]] = field(default_factory=dict)
    """Verb → parameters of the query that are refused here."""


def operations(client: ModuleType) -> Iterator[Operation]:
    """All of the client's, from the text of its classes: importing tells no paths, and asking for each takes long."""
    folder = Path(client.__file__ or "").parent / "api"
    for file in sorted(folder.glob("*_api.py")):
        for part in file.read_text().split("\n    def _")[1:]:
            name = re.match(r"(\w+)_serialize\(", part)
            method, path = re.search(r"method='(\w+)'", part), re.search(r"resource_path='([^']+)'", part)
            if name and method and path:
                parameters = frozenset(re.findall(r"_query_params\.append\(\('(\w+)'", part))
                yield Operation(name[1], method[1].lower(), path[1], parameters)


def rows(client: ModuleType, description: dict[str, Any]) -> dict[str, Row]:
    """By resource."""
    ours = {_shape(path): methods for path, methods in description["paths"].items()}
    found: dict[str, Row] = defaultdict(Row)
    for operation in operations(client):
        row = found[operation.resource]
        here = ours.get(_shape(operation.path), {}).get(operation.method)
        if here is None:
            row.missing.append(operation.verb)
            continue
        row.covered.append(operation.verb)
        known = {each["name"] for each in here.get("parameters", ()) if each["in"] == "query"} | SHARED
        if unknown := sorted(operation.parameters - known):
            row.unknown[operation.verb] = unknown
    return dict(sorted(found.items()))


def _shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def page(client: ModuleType, description: dict[str, Any]) -> str:
    """The whole page."""
    found = rows(client, description)
    version = client.__version__
    covered = sum(len(row.covered) for row in found.values())
    every = covered + sum(len(row.missing) for row in found.values())
    lines = [
        "# The API, beside authentik's",
        "",
        f"`authentik-client` {version} has {every} operations; {covered} of them are answered here.",
        "A resource that is not offered is a 404; a parameter of a query that is not known is a 400 that names",
        "those that are, never silently dropped. What the client sends and Doorward does not have is refused by",
        "name, unless it is empty. Regenerate this page with `docs/tools/api_coverage.py`.",
        "",
        "| room | answered | of |",
        "|---|---|---|",
    ]
    rooms: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for resource, row in found.items():
        counts = rooms[resource.split("/")[1]]
        counts[0] += len(row.covered)
        counts[1] += len(row.covered) + len(row.missing)
    lines += [f"| {room} | {some} | {whole} |" for room, (some, whole) in sorted(rooms.items())]
    lines += [
        "",
        "## Answered",
        "",
        "| resource | operations | not yet | parameters that are refused |",
        "|---|---|---|---|",
    ]
    for resource, row in found.items():
        if row.covered:
            unknown = sorted({name for names in row.unknown.values() for name in names})
            lines.append(f"| `{resource}` | {_listed(row.covered)} | {_listed(row.missing)} | {_listed(unknown)} |")
    lines += ["", "## Not offered", "", "| resource | operations |", "|---|---|"]
    lines += [f"| `{resource}` | {len(row.missing)} |" for resource, row in found.items() if not row.covered]
    return "\n".join(lines) + "\n"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def promised(text: str) -> dict[str, set[str]]:
    """What a page says is answered: resource → operations."""
    part = text.partition("## Answered")[2].partition("## Not offered")[0]
    table = (line.split("|") for line in part.splitlines() if line.startswith("| `"))
    return {cells[1].strip(" `"): set(re.findall(r"`(\w+)`", cells[2])) for cells in table}


def main() -> None:
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "doorward.identity.settings")
    importlib.import_module("django").setup()
    description = importlib.import_module("doorward.identity.api.openapi").description()
    PAGE.write_text(page(importlib.import_module("authentik_client"), description))


if __name__ == "__main__":
    main()
