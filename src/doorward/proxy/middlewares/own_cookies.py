"""Our proxy session cookies between browser and application: neither may the application see them (S-125), nor set
one of their names (S-320)."""

from __future__ import annotations

from functools import lru_cache

from doorward.messages.http import Header
from doorward.wire.cookies import set_cookie_name, without_cookies

MARK = b"authentik_proxy_"
_PREFIXES = (MARK, b"__Host-" + MARK, b"__Secure-" + MARK)


def is_own_cookie(name: bytes) -> bool:
    """``name`` is one that a proxy session cookie can have."""
    return name.startswith(_PREFIXES)


_SHORT = 2048
"""Bytes; longer values are not remembered."""


@lru_cache(maxsize=256)
def _rest(value: bytes) -> bytes:
    """A browser sends the same value with every request: worth remembering."""
    return without_cookies(value, is_own_cookie)


def without_own_cookies(header: Header) -> Header | None:
    """A ``Cookie`` field without our cookies, the other pairs byte-identical; None when nothing is left of it."""
    if MARK not in header[1]:
        return header
    rest = (_rest if len(header[1]) <= _SHORT else _rest.__wrapped__)(header[1])
    return (header[0], rest) if rest else None


def sets_own_cookie(header: Header) -> bool:
    """A response field that sets a cookie with one of our names."""
    return (
        len(header[0]) == 10
        and MARK in header[1]
        and header[0].lower() == b"set-cookie"
        and is_own_cookie(set_cookie_name(header[1]))
    )


def any_sets_own_cookie(headers: list[Header]) -> bool:
    """Whether one of the response fields does."""
    for header in headers:  # noqa: SIM110 - a generator would cost more than everything that it looks at
        if len(header[0]) == 10 and sets_own_cookie(header):
            return True
    return False
