"""The one spelling of a path that is routed, judged and forwarded (S-201, RFC 3986 section 6.2.2).

Unreserved bytes are never escaped and all others keep their escape, in upper case; there are no dot segments and no
empty segments. Whatever two parts of the program say about a path, they say about this string (invariant I3).
Everything here is linear in the length of the path (S-234).
"""

from __future__ import annotations

import re

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_escape = re.compile(rb"%([0-9A-Fa-f]{2})?|[\x80-\xff]")
_sensitive_escape = re.compile(rb"%(?:2F|5C|3B|25|3F|23)").search
_HEX = b"0123456789ABCDEF"


class BadPath(ValueError):
    """``reason`` is ``percent`` (an incomplete escape) or ``control`` (an escaped control byte)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def canonical_path(raw: bytes) -> bytes:
    """The canonical form of ``raw``, which starts with ``/`` and holds visible bytes or bytes above 0x7f only.

    Raises BadPath.
    """
    if b"%" in raw or not raw.isascii():
        raw = _escape.sub(_normalise_escape, raw)
    if b"/." in raw or b"//" in raw:
        raw = _without_dots(raw)
    return raw


def has_sensitive_escape(path: bytes) -> bool:
    """The canonical ``path`` escapes a byte that some application takes for a separator: ``/ \\ ; % ? #`` (S-205)."""
    return _sensitive_escape(path) is not None


def _normalise_escape(match: re.Match[bytes]) -> bytes:
    found = match[0]
    if len(found) == 1:
        if found == b"%":
            raise BadPath("percent")
        byte = found[0]
    else:
        byte = int(match[1], 16)
        if byte < 0x20 or byte == 0x7F:
            raise BadPath("control")
        if byte in _UNRESERVED:
            return bytes((byte,))
    return bytes((0x25, _HEX[byte >> 4], _HEX[byte & 15]))


def _without_dots(path: bytes) -> bytes:
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            if kept:
                kept.pop()
        elif segment not in (b"", b"."):
            kept.append(segment)
    if kept and segments[-1] in (b"", b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)
