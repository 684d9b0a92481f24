"""Fields after a body: which may stand there, and how a client says that it wants them (RFC 9110 section 6.5).

Everything that must be known before the body is read is no trailer, whoever sends it: framing, routing,
authentication, what the content is, what the connection is for (S-020). Such fields are dropped, never merged into the
head. For HTTP/1 and HTTP/2 alike.
"""

from __future__ import annotations

from collections.abc import Iterable

from doorward.messages.http import Header

_NEVER = frozenset(
    (
        b"age",
        b"authentication-info",
        b"authorization",
        b"cache-control",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-location",
        b"content-range",
        b"content-type",
        b"cookie",
        b"date",
        b"expect",
        b"expires",
        b"host",
        b"http2-settings",
        b"keep-alive",
        b"location",
        b"max-forwards",
        b"origin",
        b"pragma",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"range",
        b"retry-after",
        b"set-cookie",
        b"te",
        b"trailer",
        b"trailers",
        b"transfer-encoding",
        b"upgrade",
        b"vary",
        b"www-authenticate",
    )
)
_NEVER_BEGINS = (b"access-control-", b"if-", b"sec-", b"x-authentik-")


def permitted(fields: Iterable[Header]) -> tuple[Header, ...]:
    """Those of ``fields`` that may come after a body."""
    return tuple(field for field in fields if _may_trail(field[0].lower()))


def _may_trail(name: bytes) -> bool:
    return name not in _NEVER and not name.startswith(_NEVER_BEGINS)


def wants_trailers(te: Iterable[bytes]) -> bool:
    """Whether the ``TE`` fields of a request with these values ask for trailers (RFC 9110 section 10.1.4)."""
    return any(part.strip(b" \t").lower() == b"trailers" for value in te for part in value.split(b","))
