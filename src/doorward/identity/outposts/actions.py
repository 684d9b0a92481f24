"""Everything that changes proxy providers and outposts: one transaction, one event, and the data plane is told."""

from __future__ import annotations

from doorward.identity.outposts.instances import (
    assign,
    create_outpost,
    delete_outpost,
    ensure_embedded,
    update_outpost,
)
from doorward.identity.outposts.protect import protect
from doorward.identity.outposts.providers import create_proxy_provider, delete_provider, update_proxy_provider

__all__ = [
    "assign",
    "create_outpost",
    "create_proxy_provider",
    "delete_outpost",
    "delete_provider",
    "ensure_embedded",
    "protect",
    "update_outpost",
    "update_proxy_provider",
]
