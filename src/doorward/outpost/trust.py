"""Whose word about a client is taken: the proxies in front of this outpost (``contracts/outpost.md`` section 3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network

DEFAULT_TRUSTED = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fe80::/10",
    "::1/128",
)

_MAX_REMEMBERED = 4096


class TrustedPeers:
    """A set of networks. A Unix socket (an empty address) is never in it: who may use it is set by its mode."""

    def __init__(self, networks: Iterable[str] = DEFAULT_TRUSTED) -> None:
        """Raises ValueError for a text that is no network."""
        self._networks = [ip_network(network) for network in networks]
        self._remembered: dict[str, bool] = {}

    def include(self, peer: str) -> bool:
        """Whether the address ``peer`` is in one of the networks. IPv4 in IPv6 counts as IPv4 (S-105)."""
        known = self._remembered.get(peer)
        if known is None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[peer] = self._look_up(peer)
        return known

    def _look_up(self, peer: str) -> bool:
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            return any(address.ipv4_mapped in network for network in self._networks)
        return any(address in network for network in self._networks)
