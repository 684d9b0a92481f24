"""Parameters of an OAuth2 request: each at most once (RFC 6749 section 3.1, S-417), empty ones are absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, QueryDict

from doorward.identity.oauth2 import denial
from doorward.identity.oauth2.denial import Denial

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Parameters:
    """``repeated`` names those that came more than once; their value is not believed."""

    values: Mapping[str, str]
    repeated: frozenset[str]

    def get(self, name: str) -> str:
        """The value, or empty."""
        return "" if name in self.repeated else self.values.get(name, "")

    def optional(self, name: str) -> str | None:
        return self.get(name) or None


def read(query: QueryDict) -> Parameters:
    lists = dict(query.lists())
    return Parameters(
        values={name: str(values[-1]) for name, values in lists.items() if values and values[-1] != ""},
        repeated=frozenset(name for name, values in lists.items() if len(values) > 1),
    )


def read_form(request: HttpRequest) -> Parameters | Denial:
    """The body of a request to an endpoint for clients (S-418)."""
    if request.content_type != FORM:
        return denial.NOT_A_FORM
    if request.META.get("QUERY_STRING"):
        return denial.IN_QUERY
    form = read(request.POST)
    return denial.REPEATED if form.repeated else form
