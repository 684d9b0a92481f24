"""Cookies that decide something, read byte by byte.

``request.COOKIES`` is not strict enough for them. It strips Unicode white space from names: a sibling host, which no
browser lets set ``__Host-…``, could set it with U+2000 before it. And of two cookies of one name it takes the last,
which may be the one that somebody planted (S-313, S-315).
"""

from __future__ import annotations

from django.http import HttpRequest

from doorward.wire.cookies import cookies_named


def presented(request: HttpRequest, name: str) -> str:
    """The value of the cookie ``name``; empty when there is none, or there are two different ones."""
    sent = request.META.get("HTTP_COOKIE", "").encode("latin-1", "replace")
    found = set(cookies_named([sent], name.encode()))
    return found.pop().decode("latin-1") if len(found) == 1 else ""
