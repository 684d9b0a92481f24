"""``uri-host [":" port]`` as it stands in Host and in absolute-form targets (RFC 9110 section 7.2).

Stricter than the URI grammar: names are dot-separated labels of letters, digits, ``-`` and ``_``, because a Host
that holds anything else has poisoned URLs in other programs (S-022).
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

from doorward.wire.http1.errors import Rejected

_name = re.compile(
    rb"((?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*)\.?"
).fullmatch
_MAX_NAME = 253


@lru_cache(maxsize=1024)
def parse_authority(raw: bytes) -> tuple[bytes, bytes]:
    """(host, authority) in lower case: the host without port and trailing dot, the authority with its port.

    Raises Rejected(400, host_syntax).
    """
    host, port = _split(raw.lower())
    if host.startswith(b"["):
        _check_ipv6(host)
    else:
        match = _name(host)
        if match is None or len(match[1]) > _MAX_NAME:
            raise Rejected(400, "host_syntax")
        host = match[1]
        if b"xn--" in host:
            _check_a_labels(host)
    return host, (host + b":" + port if port else host)


def without_default_port(authority: bytes, tls: bool) -> bytes:
    """``authority`` in the one spelling that two equal ones share."""
    return authority.removesuffix(b":443" if tls else b":80")


def _split(raw: bytes) -> tuple[bytes, bytes]:
    if raw.startswith(b"["):
        host, bracket, rest = raw.partition(b"]")
        host += bracket
    else:
        host, colon, rest = raw.partition(b":")
        rest = colon + rest
    if not rest:
        return host, b""
    port = rest[1:]
    # Digits are checked as bytes before int() sees them (S-005's lesson holds for ports as well).
    if rest[:1] != b":" or not 1 <= len(port) <= 5 or not port.isdigit() or int(port) > 65535:
        raise Rejected(400, "host_syntax")
    return host, port


def _check_ipv6(host: bytes) -> None:
    try:
        IPv6Address(host[1:-1].decode("ascii"))
    except (AddressValueError, UnicodeDecodeError):
        raise Rejected(400, "host_syntax") from None
    if b"%" in host or not host.endswith(b"]"):
        raise Rejected(400, "host_syntax")


def _check_a_labels(host: bytes) -> None:
    """An ``xn--`` label must decode, and to something that needed encoding (S-218)."""
    for label in host.split(b"."):
        if not label.startswith(b"xn--"):
            continue
        try:
            decoded = label[4:].decode("punycode")
        except UnicodeError:
            raise Rejected(400, "host_syntax") from None
        if decoded.isascii():
            raise Rejected(400, "host_syntax")
