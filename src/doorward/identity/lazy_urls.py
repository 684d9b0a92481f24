"""Pages that are imported when somebody first asks for one of them.

The REST API and its libraries are a fifth of the identity child's memory, and many installations never call it.
Django imports every included module at start and again to name a page (``reverse``); this include does neither:
nothing below it can be named from outside, and it is loaded by the first request under its prefix.
"""

from __future__ import annotations

from typing import Any

from django.urls.resolvers import RoutePattern, URLResolver
from django.utils.datastructures import MultiValueDict


class LazyResolver(URLResolver):
    """Resolves like any include; tells ``reverse`` that there is nothing to name."""

    def _populate(self) -> None:
        """Do not look: looking would import."""

    @property
    def reverse_dict(self) -> MultiValueDict[str, Any]:
        return MultiValueDict()

    @property
    def namespace_dict(self) -> dict[str, Any]:
        return {}

    @property
    def app_dict(self) -> dict[str, Any]:
        return {}


def lazily(prefix: str, module: str) -> LazyResolver:
    """Like ``path(prefix, include(module))``, later."""
    return LazyResolver(RoutePattern(prefix), module)
