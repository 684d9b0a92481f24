"""Which brand speaks, and which flows it starts."""

from __future__ import annotations

from django.conf import settings

from doorward.identity.brands.models import Brand
from doorward.identity.flows.models import Flow

FLOWS = {
    Flow.Designation.AUTHENTICATION: "flow_authentication",
    Flow.Designation.INVALIDATION: "flow_invalidation",
}


def current_brand() -> Brand:
    """The brand whose domain is the external URL's host or a suffix of it at a dot (the longest), else the default."""
    host = (settings.EXTERNAL.hostname or "").lower()
    brands = list(Brand.objects.select_related("flow_authentication", "flow_invalidation"))
    matching = [brand for brand in brands if _covers(brand.domain.lower(), host)]
    if matching:
        return max(matching, key=lambda brand: len(brand.domain))
    return next((brand for brand in brands if brand.default), Brand(domain="none"))


def _covers(domain: str, host: str) -> bool:
    return bool(domain) and (host == domain or host.endswith("." + domain))


def default_flow(designation: Flow.Designation) -> Flow | None:
    """The brand's flow for this purpose; else the first there is."""
    chosen: Flow | None = getattr(current_brand(), FLOWS[designation])
    return chosen or Flow.objects.filter(designation=designation).order_by("slug").first()
