"""``Cookie`` and ``Set-Cookie`` as far as a proxy must read them (RFC 6265).

Pairs are looked at as bytes and never unquoted or decoded: whatever is passed on is passed on byte for byte.
A pair without a name is no cookie (``=__Host-x=evil`` would otherwise become one, S-315); duplicates are kept, for
only whoever owns the name can say what they mean (S-313).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable


def cookie_pairs(value: bytes) -> list[tuple[bytes, bytes]]:
    """The (name, value) pairs of one ``Cookie`` field in order."""
    pairs = []
    for pair in value.split(b";"):
        name, equals, content = pair.strip(b" \t").partition(b"=")
        name = name.rstrip(b" \t")
        if equals and name:
            pairs.append((name, content.lstrip(b" \t")))
    return pairs


def cookies_named(values: Iterable[bytes], name: bytes) -> list[bytes]:
    """The values of every cookie called ``name`` in all ``Cookie`` fields of a request."""
    return [content for value in values for found, content in cookie_pairs(value) if found == name]


def without_cookies(value: bytes, is_dropped: Callable[[bytes], bool]) -> bytes:
    """``value`` without the pairs whose name ``is_dropped``; the other pairs stay byte-identical (S-125)."""
    kept = [pair for pair in value.split(b";") if not is_dropped(pair.partition(b"=")[0].strip(b" \t"))]
    return b";".join(kept).strip(b" \t")


def set_cookie_name(value: bytes) -> bytes:
    """The name that a ``Set-Cookie`` value sets; empty if it sets none."""
    name, equals, _ = value.partition(b";")[0].partition(b"=")
    return name.strip(b" \t") if equals else b""
