"""Searching, filtering, sorting and paging, with the answers that the original gives to wrong questions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

from doorward.messages.compiling import Json

PER_PAGE = 100
_SORTS: dict[str, Callable[[Json], Any]] = {
    "provider": lambda each: each.get("provider", ""),
    "priority": lambda each: each.get("priority", 0),
    "status": lambda each: each.get("status", ""),
    "rule": lambda each: each.get("rule", ""),
    "service": lambda each: each.get("service", ""),
    "entryPoints": lambda each: len(each.get("entryPoints", ())),
    "type": lambda each: each.get("type", ""),
    "servers": lambda each: len(each.get("loadBalancer", {}).get("servers", ())),
}
_POSITIVE = re.compile(r"\+?0*[1-9][0-9]{0,8}", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,9}", re.ASCII)


class BadQuestion(Exception):
    """``page`` or ``per_page`` make no sense; the message is the answer's."""


def chosen(objects: Sequence[Json], query: str) -> tuple[list[Json], int]:
    """The page of ``objects`` (sorted by name) that ``query`` asks for, and the number of the next one; 1 when there is
    none. Raises BadQuestion."""
    asked = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    found = [each for each in objects if _fits(each, asked)]
    sort = _SORTS.get(asked.get("sortBy", ""))
    backwards = asked.get("direction") == "desc"
    if sort is not None:
        found.sort(key=lambda each: (sort(each), str(each["name"])))
    if backwards:
        found.reverse()
    page, per_page = _number(asked, "page", 1), _number(asked, "per_page", PER_PAGE)
    start = (page - 1) * per_page
    if start and start >= len(found):
        raise BadQuestion(f"invalid request: page: {page}, per_page: {per_page}")
    return found[start : start + per_page], page + 1 if page * per_page < len(found) else 1


def _fits(each: Json, asked: dict[str, str]) -> bool:
    search = asked.get("search", "").lower()
    if search and not any(search in str(each.get(key, "")).lower() for key in ("name", "rule")):
        return False
    status = asked.get("status", "")
    if status and str(each.get("status", "")).lower() != status.lower():
        return False
    service = asked.get("serviceName", "")
    if service and "service" in each:
        written = str(each["service"])
        if service not in (written, f"{written}@{each.get('provider', '')}"):
            return False
    middleware = asked.get("middlewareName", "")
    return not middleware or "rule" not in each or middleware in each.get("middlewares", ())


def _number(asked: dict[str, str], name: str, default: int) -> int:
    text = asked.get(name, "")
    if not text:
        return default
    if _POSITIVE.fullmatch(text):
        return int(text)
    value = int(text) if _WHOLE.fullmatch(text) else 0
    raise BadQuestion(f"invalid request: {name}: {value}")
