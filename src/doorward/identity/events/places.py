"""Where something came from, and from which device, as events keep it and people read it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from doorward.identity.api.core.user_agents import described
from doorward.identity.logins import places


def known(address: str | None) -> dict[str, Any]:
    """``geo`` and ``asn`` of an event's context, by authentik's names; empty without databases of places."""
    place = places.look(address)
    found: dict[str, Any] = {}
    if place.country or place.city:
        found["geo"] = {"continent": place.continent, "country": place.country, "city": place.city}
    if place.asn:
        found["asn"] = {"asn": place.asn, "as_org": place.asn_name, "network": place.asn_network}
    return found


def device(user_agent: str) -> str:
    """A browser and its system, by what it says it is."""
    agent = described(user_agent)
    browser, system = agent["user_agent"]["family"], agent["os"]["family"]
    seen = [name for name in (browser, system) if name != "Other"]
    if len(seen) > 1:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return seen[0] if seen else _("Unknown browser")


def in_words(context: dict[str, Any]) -> str:
    """The place of an event: city, country, network; empty where nothing is known."""
    geo, asn = context.get("geo"), context.get("asn")
    parts = [geo.get("city"), geo.get("country")] if isinstance(geo, dict) else []
    if isinstance(asn, dict) and asn.get("asn"):
        parts.append(f"AS{asn['asn']} {asn.get('as_org', '')}".strip())
    return ", ".join(str(part) for part in parts if part)
