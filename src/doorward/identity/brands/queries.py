"""Which brand speaks, and which flows it starts."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings

from doorward.identity.brands.models import Brand
from doorward.identity.flows.models import Flow
from doorward.identity.flows.queries import flow_for
from doorward.identity.remembered.memory import remembered

FLOWS = {
    Flow.Designation.AUTHENTICATION: "flow_authentication",
    Flow.Designation.INVALIDATION: "flow_invalidation",
    Flow.Designation.RECOVERY: "flow_recovery",
    Flow.Designation.UNRENOLLMENT: "flow_unenrollment",
}


def current_brand() -> Brand:
    """The brand whose domain is the external URL's host or a suffix of it at a dot (the longest), else the default."""
    brands = _brands()
    return _of_host(brands, settings.EXTERNAL.hostname or "") or _default(brands)


def brand_for(origins: Iterable[str]) -> Brand:
    """The brand of the journey to one of ``origins`` (``https://shop.example.com``).

    There is one login page for all applications; what it looks like may depend on where it leads. A brand whose
    domain an application lies under comes first, else it is the current one.
    """
    brands = _brands()
    found = (_of_host(brands, urlsplit(origin).hostname or "") for origin in origins) if len(brands) > 1 else ()
    return next(filter(None, found), None) or _of_host(brands, settings.EXTERNAL.hostname or "") or _default(brands)


@remembered
def _brands() -> list[Brand]:
    return list(Brand.objects.select_related(*FLOWS.values(), "flow_device_code"))


def _default(brands: Iterable[Brand]) -> Brand:
    return next((brand for brand in brands if brand.default), Brand(domain="none"))


def _of_host(brands: Iterable[Brand], host: str) -> Brand | None:
    matching = [brand for brand in brands if _covers(brand.domain.lower(), host.lower())]
    return max(matching, key=lambda brand: len(brand.domain), default=None)


def _covers(domain: str, host: str) -> bool:
    return bool(domain) and (host == domain or host.endswith("." + domain))


def default_flow(designation: Flow.Designation) -> Flow | None:
    """The brand's flow for this purpose; else the first there is."""
    chosen: Flow | None = getattr(current_brand(), FLOWS[designation])
    return chosen or flow_for(designation)
