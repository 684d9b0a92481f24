"""The pictures on the buttons of sources: a path of this host, or an https URL whose origin the page then names."""

from __future__ import annotations

from collections.abc import Iterable

from doorward.identity.brands.pictures import origin_of, require_address
from doorward.identity.sources.models import Source

__all__ = ["origins_of", "require_address", "url_of"]


def url_of(source: Source) -> str:
    """Empty where the page draws its own."""
    return source.icon


def origins_of(urls: Iterable[str]) -> tuple[str, ...]:
    """What the page's policy has to let in."""
    return tuple(dict.fromkeys(origin for url in urls if url and (origin := origin_of(url))))
