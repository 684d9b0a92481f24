"""Which addresses the identity provider may be made to ask (S-650).

What nobody can mean is never asked: addresses of clouds' own services, which hand out credentials, and ranges that
lead nowhere. Addresses of the inside are asked only where an administrator wrote the URL. An IPv4 address inside an
IPv6 one counts as what it really leads to.
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA_NAMES = frozenset({"metadata.google.internal", "metadata", "instance-data", "instance-data.ec2.internal"})
METADATA_ADDRESSES = frozenset({"fd00:ec2::254", "100.100.100.200", "192.0.0.192"})
"""Besides 169.254.169.254, which is link-local."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def leads_to(address: Address) -> Address:
    """The address at the other end: what an IPv6 address only wraps (mapped, 6to4, NAT64), else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_nobodys(address: Address) -> bool:
    """It cannot be the address of a server that anybody means, whoever wrote it."""
    end = leads_to(address)
    if end.is_link_local or end.is_multicast or end.is_unspecified or str(end) in METADATA_ADDRESSES:
        return True
    # ::1 stands in a reserved range too.
    return end.is_reserved and not end.is_loopback


def is_inside(address: Address) -> bool:
    """It is this machine's or its network's, not everybody's."""
    return not leads_to(address).is_global
