"""Countries by their two letters (ISO 3166), with the names that the system's time zone data has for them."""

from __future__ import annotations

import zoneinfo
from functools import cache
from pathlib import Path


@cache
def countries() -> dict[str, str]:
    """Code → English name, in the order of the codes; empty where the system has no such table."""
    for folder in zoneinfo.TZPATH:
        table = Path(folder, "iso3166.tab")
        if table.is_file():
            lines = (line for line in table.read_text("utf-8").splitlines() if line and not line.startswith("#"))
            return dict(sorted((code, name) for code, _, name in (line.partition("\t") for line in lines)))
    return {}


def name_of(code: str) -> str:
    """The code itself where no name is known."""
    return countries().get(code, code)
