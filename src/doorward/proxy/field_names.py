"""Which request fields a client may send onwards: one table, read by the entry point and the middlewares.

A name is looked up once and remembered, so the table costs nothing per request. ``Kind`` says what happens to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from typing import TypeVar

from doorward.proxy.request_ids import FIELD as REQUEST_ID
from doorward.wire.quick_enum import quick

T = TypeVar("T")


@quick
class Kind(IntEnum):
    """What becomes of a field of this name."""

    PLAIN = 0
    """Passed on."""
    SINGLE = 1
    """Passed on, and refused when it comes twice (S-044)."""
    DROPPED = 2
    """Never passed on: hop by hop, framing, or ours alone to set."""
    FORWARDED_FOR = 3
    """``X-Forwarded-For``: kept from a trusted peer, several lines are one list."""
    FORWARDING = 4
    """Speaks for the client: kept from a trusted peer only (S-101)."""
    ALIAS = 5
    """Has a character beside letters, digits and ``-``; applications fold such names onto others (S-109)."""
    FOLDED = 6
    """An alias of one of ours: deleted even where aliases are kept."""
    REQUEST_ID = 7
    """``X-Request-Id``: kept from a trusted peer, and beside the others."""


IDENTITY_PREFIX = b"x-authentik-"
"""Who the user is; only the outpost says so (S-108)."""

PRIVATE_PREFIX = b"x-doorward-"
"""Between the parts of this program."""

FORM_TOKEN = b"x-authentik-csrf"
"""Under the prefix and no identity: proves to the identity provider, and to it alone, that a page of its own asks."""

MANAGED = frozenset(
    b"x-forwarded-" + name
    for name in (
        b"for",
        b"host",
        b"port",
        b"proto",
        b"server",
        b"uri",
        b"method",
        b"prefix",
        b"tls-client-cert",
        b"tls-client-cert-info",
    )
) | {b"x-real-ip"}
"""Traefik's managed set: a ``Connection`` field cannot remove these (S-106)."""

FORWARDING = MANAGED | frozenset(
    (
        b"x-forwarded-scheme",
        b"x-forwarded-ssl",
        b"x-forwarded-client-cert",
        b"x-scheme",
        b"forwarded",
        b"x-original-url",
        b"x-original-uri",
        b"x-original-method",
        b"x-original-host",
        b"x-rewrite-url",
        b"true-client-ip",
        b"x-client-ip",
        b"cf-connecting-ip",
        b"front-end-https",
    )
)
"""Every field that speaks for the client and that somebody's application believes (S-101)."""

SINGLETONS = frozenset((b"authorization", b"content-type", b"origin", b"sec-websocket-key", b"sec-websocket-version"))

DROPPED = frozenset(
    (
        b"host",
        b"content-length",
        b"expect",
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"trailers",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",  # S-037
        b"proxy",  # S-121: becomes HTTP_PROXY in CGI
        b"x-doorward-session",
        b"x-doorward-consumed",
    )
)

METHOD_OVERRIDES = frozenset((b"x-http-method-override", b"x-method-override", b"x-http-method"))
"""Fields that make an application treat a request as another method (S-122)."""

_plain_name = re.compile(rb"[a-z0-9-]+").fullmatch
_other = re.compile(rb"[^a-z0-9]+")
_PROTECTED_SQUEEZED = frozenset(_other.sub(b"", name) for name in FORWARDING | DROPPED | {REQUEST_ID})
_OURS = (IDENTITY_PREFIX, PRIVATE_PREFIX)
_OURS_SQUEEZED = tuple(_other.sub(b"", prefix) for prefix in _OURS)


def kind_of(name: bytes) -> Kind:
    """What becomes of the field ``name`` (lower case)."""
    if _plain_name(name) is None:
        squeezed = _other.sub(b"", name)
        if squeezed in _PROTECTED_SQUEEZED or squeezed.startswith(_OURS_SQUEEZED):
            return Kind.FOLDED
        return Kind.ALIAS
    if name in DROPPED or name.startswith(_OURS):
        return Kind.DROPPED
    if name == b"x-forwarded-for":
        return Kind.FORWARDED_FOR
    if name in FORWARDING:
        return Kind.FORWARDING
    if name == REQUEST_ID:
        return Kind.REQUEST_ID
    if name in SINGLETONS:
        return Kind.SINGLE
    return Kind.PLAIN


class NameTable(dict[bytes, T]):
    """What holds for a field name as it stands on the wire: decided once, remembered up to a bound.

    ``table[name]`` is a plain dictionary access for every name seen before; a client that invents names empties it
    at most, and makes it no larger.
    """

    _MOST = 4096

    def __init__(self, decide: Callable[[bytes], T]) -> None:
        """``decide`` is given the name in lower case."""
        super().__init__()
        self._decide = decide

    def __missing__(self, name: bytes) -> T:
        if len(self) >= self._MOST:
            self.clear()
        value = self[name] = self._decide(name.lower())
        return value
