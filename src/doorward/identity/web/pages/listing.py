"""Lists that may be long: a page of rows at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

AT_ONCE = 25
"""Rows per page."""
LONGEST_SEARCH = 200
M = TypeVar("M", bound=Model)


def page_of(request: HttpRequest, rows: QuerySet[M]) -> Page[M]:
    """The page that ``?page=`` asks for; the nearest that exists for any other number or text."""
    return Paginator(rows, AT_ONCE).get_page(request.GET.get("page"))


def search_text(request: HttpRequest) -> str:
    """``?q=``, fit to be compared with what a database holds (S-607)."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    return text.encode("utf-8", "ignore").decode()


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter of a list: one of several values, the first by default."""

    name: str
    label: str
    value: str
    choices: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, request: HttpRequest, name: str, label: str, choices: Mapping[str, str]) -> Choice:
        """What the query says; the default for a value that does not exist."""
        value = request.GET.get(name, "")
        return cls(name, label, value if value in choices else next(iter(choices)), tuple(choices.items()))
