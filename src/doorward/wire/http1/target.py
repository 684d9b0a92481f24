"""The four forms of a request target (RFC 9112 section 3.2), of which two name a resource here."""

from __future__ import annotations

import re

from doorward.wire.http1.authority import parse_authority
from doorward.wire.http1.errors import Rejected
from doorward.wire.path import BadPath, canonical_path

# Visible bytes and bytes above 0x7f; no fragment (S-027), no raw backslash (S-206).
_allowed = re.compile(rb"[\x21\x22\x24-\x5b\x5d-\x7e\x80-\xff]+").fullmatch
_absolute = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)(.*)").fullmatch


def parse_target(method: bytes, target: bytes, tls: bool) -> tuple[bytes, bytes | None, bytes | None]:
    """(canonical path, raw query, the authority that an absolute-form target names or None).

    Raises Rejected: ``target``, ``percent``, ``control``.
    """
    if _allowed(target) is None:
        raise Rejected(400, "target")
    if target[:1] == b"/":
        path, query = _split_query(target)
        return path, query, None
    if target == b"*":
        if method != b"OPTIONS":
            raise Rejected(400, "target")
        return b"*", None, None
    return _absolute_form(target, tls)


def _absolute_form(target: bytes, tls: bool) -> tuple[bytes, bytes | None, bytes]:
    match = _absolute(target)
    # Another scheme than the socket's would make us believe the client about TLS (S-024).
    if match is None or match[1].lower() != (b"https" if tls else b"http") or b"@" in match[2]:
        raise Rejected(400, "target")
    _, authority = parse_authority(match[2])
    rest = match[3]
    path, query = _split_query(rest if rest[:1] == b"/" else b"/" + rest)
    return path, query, authority


def _split_query(target: bytes) -> tuple[bytes, bytes | None]:
    raw_path, mark, query = target.partition(b"?")
    try:
        return canonical_path(raw_path), (query if mark else None)
    except BadPath as error:
        raise Rejected(400, error.reason) from None
