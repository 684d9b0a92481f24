"""Whom an entry point believes, and whose address a chain of forwarders ends at (S-103 to S-105)."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_MOST_HOPS = 64
"""Longer chains are not addresses of anybody; nobody walks 10 000 commas (S-104)."""

Address = IPv4Address | IPv6Address


def parse_address(text: str) -> Address | None:
    """An address as the socket layer and honest forwarders write it; None for every odd form (S-105).

    An IPv6 zone is dropped, and an IPv4 address in IPv6 clothes is the IPv4 address.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


class Trust:
    """The peers whose forwarding fields are facts."""

    _MOST_REMEMBERED = 4096

    def __init__(self, networks: Sequence[str], everybody: bool = False) -> None:
        """``networks`` are addresses and CIDRs; ``unix`` stands for peers on a Unix socket. Raises ValueError."""
        self.everybody = everybody
        self._unix = "unix" in networks
        self._networks: list[IPv4Network | IPv6Network] = [
            ip_network(network, strict=False) for network in networks if network != "unix"
        ]
        self._remembered: dict[str, bool] = {}

    def includes(self, peer: str) -> bool:
        """Whether the socket's other end may speak for the client."""
        known = self._remembered.get(peer)
        if known is None:
            known = self._judge(peer)
            if len(self._remembered) >= self._MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[peer] = known
        return known

    def client(self, peer: str, forwarded_for: bytes) -> str:
        """The rightmost address of ``forwarded_for`` that is not trusted; ``peer`` when the list is not believable."""
        hops = forwarded_for.split(b",", _MOST_HOPS)
        if len(hops) > _MOST_HOPS:
            return peer
        last = peer
        for hop in reversed(hops):
            address = parse_address(hop.strip(b" \t").decode("latin-1"))
            if address is None:
                return peer
            last = str(address)
            if not self.everybody and not self._holds(address):
                return last
        return last

    def _judge(self, peer: str) -> bool:
        if self.everybody:
            return True
        if not peer:
            return self._unix
        address = parse_address(peer)
        return address is not None and self._holds(address)

    def _holds(self, address: Address) -> bool:
        return any(address in network for network in self._networks if network.version == address.version)
