"""Our proxy session cookies between browser and application: neither may the application see them (S-125), nor set
one of their names (S-320)."""

from __future__ import annotations

from doorward.messages.http import Header
from doorward.wire.cookies import set_cookie_name, without_cookies

_MARK = b"authentik_proxy_"
_PREFIXES = (_MARK, b"__Host-" + _MARK, b"__Secure-" + _MARK)


def is_own_cookie(name: bytes) -> bool:
    """``name`` is one that a proxy session cookie can have."""
    return name.startswith(_PREFIXES)


def without_own_cookies(headers: list[Header]) -> list[Header]:
    """Request fields without our cookies; other pairs stay byte-identical and an empty ``Cookie`` field goes."""
    kept: list[Header] = []
    for header in headers:
        if len(header[0]) == 6 and _MARK in header[1] and header[0].lower() == b"cookie":
            rest = without_cookies(header[1], is_own_cookie)
            if not rest:
                continue
            header = (header[0], rest)
        kept.append(header)
    return kept


def sets_own_cookie(header: Header) -> bool:
    """A response field that sets a cookie with one of our names."""
    return (
        len(header[0]) == 10
        and _MARK in header[1]
        and header[0].lower() == b"set-cookie"
        and is_own_cookie(set_cookie_name(header[1]))
    )
