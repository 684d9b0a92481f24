"""The table of kinds that people come through by a browser: where each begins. A new kind is one line here."""

from __future__ import annotations

from urllib.parse import urlencode

from doorward.identity.sources.models import Source

BEGINS = {"oauth": "/source/oauth/login/%s/", "saml": "/source/saml/%s/"}
"""Kind → page that leads to the source, by its slug."""


def login_url(source: Source, *, next_url: str = "", flow: str = "") -> str | None:
    """Where a login through ``source`` begins; None for a kind without pages."""
    page = BEGINS.get(source.kind)
    if page is None:
        return None
    query = urlencode({name: value for name, value in (("next", next_url), ("flow", flow)) if value})
    return page % source.slug + (f"?{query}" if query else "")
