"""What a list may be asked: exactly the filters, orders and searches that its resource names, anything else is a 400.

Strict for two reasons. A misspelt filter that is ignored returns everything, and the script that asked takes the
first result for its own. And a filter that reaches any column lets a stranger bisect what the answer hides (S-606).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django_filters import CharFilter, ModelMultipleChoiceFilter, UUIDFilter
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.drainage import set_override
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

SHARED = frozenset({"page", "page_size", "ordering", "search", "format"})


class Filters(FilterSet):  # type: ignore[misc] # django-filter is untyped
    """Base of the filters of a resource. Every filter is declared by name; none is derived from a model."""


class FilterByName(DjangoFilterBackend):  # type: ignore[misc]
    """Applies the resource's ``filterset_class`` after refusing parameters that it does not name."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filters = getattr(view, "filterset_class", None)
        known = {*(filters.base_filters if filters else ()), *getattr(view, "extra_parameters", ())}
        unknown = set(request.query_params) - SHARED - known
        if unknown and view.detail is False:
            listed = ", ".join(sorted(known)) or "none"
            raise ValidationError({name: [f"Unknown filter; this list knows: {listed}."] for name in sorted(unknown)})
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


class OrderByName(OrderingFilter):
    """Orders by the resource's ``ordering_fields`` (API name → column); another name is refused."""

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        wanted = request.query_params.get(self.ordering_param)
        if not wanted:
            return self.get_default_ordering(view)
        columns: Mapping[str, str] = view.orders
        ordering = []
        for term in wanted.split(","):
            name = term.strip()
            descending, name = name.startswith("-"), name.removeprefix("-")
            if name not in columns:
                listed = ", ".join(columns) or "none"
                raise ValidationError({"ordering": [f"Unknown order; this list knows: {listed}."]})
            ordering.append(("-" if descending else "") + columns[name])
        return ordering

    def get_valid_fields(self, queryset: QuerySet[Any], view: Any, context: Any = None) -> list[tuple[str, str]]:
        return [(name, name) for name in view.orders]


def exactly(field: str) -> CharFilter:
    return CharFilter(field_name=field, lookup_expr="exact")


def any_case(field: str) -> CharFilter:
    return CharFilter(field_name=field, lookup_expr="iexact")


def containing(field: str) -> CharFilter:
    return CharFilter(field_name=field, lookup_expr="icontains")


def several(field: str, to_field: str, queryset: QuerySet[Any]) -> ModelMultipleChoiceFilter:
    """May be given several times; each value must name an object by its ``to_field``."""
    named = ModelMultipleChoiceFilter(field_name=field, to_field_name=to_field, queryset=queryset)
    set_override(named, "field", {"type": "array", "items": {"type": "string"}})
    return named


def uuid_of(field: str) -> UUIDFilter:
    return UUIDFilter(field_name=field)
