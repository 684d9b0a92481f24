"""Lists come in pages, in the one envelope that every client of this API expects."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from doorward.identity.system import queries as system

NUMBERS = ("next", "previous", "count", "current", "total_pages", "start_index", "end_index")


class Pages(PageNumberPagination):
    """20 to a page, at most 100, unless the system settings say otherwise; a larger wish is clamped. ``next`` and
    ``previous`` are page numbers, 0 for none."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"
    invalid_page_message = "Invalid page."

    def get_page_size(self, request: Request) -> int | None:
        settings = system.current()
        self.page_size = settings.pagination_default_page_size
        self.max_page_size = settings.pagination_max_page_size
        return super().get_page_size(request)

    def get_paginated_response(self, data: Any) -> Response:
        assert self.page is not None
        page = self.page
        pagination = {
            "next": page.next_page_number() if page.has_next() else 0,
            "previous": page.previous_page_number() if page.has_previous() else 0,
            "count": page.paginator.count,
            "current": page.number,
            "total_pages": page.paginator.num_pages,
            "start_index": page.start_index(),
            "end_index": page.end_index(),
        }
        return Response({"pagination": pagination, "results": data, "autocomplete": {}})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "pagination": {
                    "type": "object",
                    "properties": {name: {"type": "number"} for name in NUMBERS},
                    "required": list(NUMBERS),
                },
                "results": schema,
                "autocomplete": {"type": "object", "additionalProperties": {}},
            },
            "required": ["pagination", "results", "autocomplete"],
        }
