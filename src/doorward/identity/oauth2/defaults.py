"""The scope mappings that every installation has (``contracts/identity.md`` section 2.5)."""

from __future__ import annotations

from doorward.identity.oauth2.models import ScopeMapping
from doorward.identity.oauth2.scopes import SHIPPED


def ensure() -> None:
    """Create what is missing. What exists is left as an administrator has it."""
    present = set(ScopeMapping.objects.filter(managed__isnull=False).values_list("managed", flat=True))
    ScopeMapping.objects.bulk_create(
        ScopeMapping(
            managed=shipped.managed,
            name=shipped.name,
            scope_name=shipped.scope_name,
            description=shipped.description,
        )
        for shipped in SHIPPED
        if shipped.managed not in present
    )
