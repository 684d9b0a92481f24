"""Ties a login to where it began: a request from elsewhere ends it (``network_binding``, ``geoip_binding``).

A stolen cookie is worth nothing in another network; the price is that whoever moves logs in again. The same address
is always the same place. What is compared with databases of places, and without them:

======================  =========================================  ==============================
``network_binding``     with a database                            without, or where it is silent
======================  =========================================  ==============================
bind_asn                the autonomous system                      the first 16 bits (IPv6: 32)
bind_asn_network        also the announced network                 the first 24 bits (IPv6: 48)
bind_asn_network_ip     the address                                the address
======================  =========================================  ==============================

``geoip_binding`` without a database means: the address. What is not known is never taken for the same.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.db import models

from doorward.identity.logins import places
from doorward.identity.logins.places import Place


class NetworkBinding(models.TextChoices):
    NO_BINDING = "no_binding"
    BIND_ASN = "bind_asn"
    BIND_ASN_NETWORK = "bind_asn_network"
    BIND_ASN_NETWORK_IP = "bind_asn_network_ip"


class GeoipBinding(models.TextChoices):
    NO_BINDING = "no_binding"
    BIND_CONTINENT = "bind_continent"
    BIND_CONTINENT_COUNTRY = "bind_continent_country"
    BIND_CONTINENT_COUNTRY_CITY = "bind_continent_country_city"


@dataclass(frozen=True, slots=True)
class Binding:
    """How tightly a login is tied to where it began."""

    network: str = NetworkBinding.NO_BINDING
    geoip: str = GeoipBinding.NO_BINDING

    @property
    def is_any(self) -> bool:
        return self.network != NetworkBinding.NO_BINDING or self.geoip != GeoipBinding.NO_BINDING


_PREFIXES = {NetworkBinding.BIND_ASN: (16, 32), NetworkBinding.BIND_ASN_NETWORK: (24, 48)}
"""Bits of IPv4 and IPv6 addresses that are compared where no database knows better."""


def breach(binding: Binding, began: str | None, now: str | None) -> str:
    """What is different between the address where a login began and that of a request; empty if it may go on.

    Answers ``network`` or ``geoip``, followed by what exactly: an event shows it.
    """
    if not binding.is_any:
        return ""
    first, second = _plain(began), _plain(now)
    if first is None or second is None:
        return "network.missing"
    if first == second:
        return ""
    then, here = places.look(str(first)), places.look(str(second))
    return _network_breach(binding.network, first, second, then, here) or _place_breach(binding.geoip, then, here)


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _network_breach(level: str, first: _Address, second: _Address, then: Place, here: Place) -> str:
    if level == NetworkBinding.NO_BINDING:
        return ""
    if level == NetworkBinding.BIND_ASN_NETWORK_IP:
        return "network.ip"
    kind = NetworkBinding(level)
    if then.asn and here.asn:
        if then.asn != here.asn:
            return "network.asn"
        same = kind == NetworkBinding.BIND_ASN or then.asn_network == here.asn_network
        return "" if same else "network.asn_network"
    return "" if _same_prefix(kind, first, second) else "network.prefix"


def _same_prefix(kind: NetworkBinding, first: _Address, second: _Address) -> bool:
    if first.version != second.version:
        return False
    rest = first.max_prefixlen - _PREFIXES[kind][first.version == 6]
    return int(first) >> rest == int(second) >> rest


def _place_breach(level: str, then: Place, here: Place) -> str:
    if level == GeoipBinding.NO_BINDING:
        return ""
    parts = list(GeoipBinding).index(GeoipBinding(level))
    names = ("continent", "country", "city")[:parts]
    for name in names:
        before, after = getattr(then, name), getattr(here, name)
        if not before or not after:
            return "geoip.missing"
        if before != after:
            return f"geoip.{name}"
    return ""


def _plain(address: str | None) -> _Address | None:
    if not address:
        return None
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed
