"""Which header fields a user's or group's ``additionalHeaders`` may set: none that frames a message, speaks for the
client or says who somebody is (S-115)."""

from __future__ import annotations

import re

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}", re.ASCII)
_NOT_WORD = re.compile(r"[^a-z0-9]")
_RESERVED = frozenset({
    "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "te", "trailer",
    "trailers", "upgrade", "expect", "cookie", "set-cookie", "content-encoding", "content-type", "date", "location",
    "proxy-authorization", "proxy-authenticate", "forwarded", "x-real-ip", "true-client-ip", "x-client-ip",
    "cf-connecting-ip", "front-end-https", "x-rewrite-url", "x-scheme", "proxy", "http2-settings", "user-agent",
    "x-http-method-override", "x-method-override", "x-http-method",
})  # fmt: skip
_RESERVED_PREFIXES = ("x-authentik-", "x-forwarded-", "x-original-", "x-doorward-", "sec-", "access-control-")


def is_free(name: str) -> bool:
    """Whether ``additionalHeaders`` may set ``name``."""
    if _FIELD_NAME.fullmatch(name) is None:
        return False
    folded = _NOT_WORD.sub("-", name.lower())  # X_authentik_groups is X-authentik-groups to a CGI-like backend
    return folded not in _RESERVED and not folded.startswith(_RESERVED_PREFIXES)
