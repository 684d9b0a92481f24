"""The cookie that keeps a client with a server, or with one service of several.

Names and values are the original's (``contracts/proxy.md`` section 8.1): the value is made of the server's URL (or
the service's name), so that it means the same in every worker and after every change of configuration.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Generic, TypeVar

from doorward.messages.routing import StickyCookie
from doorward.proxy.request import Request
from doorward.wire.cookies import cookies_named

T = TypeVar("T")


class Stickiness(Generic[T]):
    """Cookie values ↔ members."""

    def __init__(self, cookie: StickyCookie, members: Iterable[tuple[T, str]]) -> None:
        """``members`` with the text that tells them apart: URL or name."""
        self._name = cookie.name.encode("ascii")
        self._attributes = _attributes(cookie)
        self._values: dict[T, bytes] = {}
        self._members: dict[bytes, T] = {}
        self._older: dict[bytes, T] = {}
        for member, text in members:
            value = sticky_value(text)
            self._values[member] = value
            self._members.setdefault(value, member)
            self._older.setdefault(_older_value(text), member)

    def sent(self, request: Request) -> list[bytes]:
        """What the client's cookies of this name say."""
        fields = [value for name, value in request.headers if name.lower() == b"cookie"]
        return cookies_named(fields, self._name) if fields else fields

    def remembered(self, sent: list[bytes]) -> T | None:
        """The member that a client with these cookies met, if any; an older version's cookie means one as well."""
        for value in sent:
            member = self._members.get(value) or self._older.get(value)
            if member is not None:
                return member
        return None

    def reminder(self, sent: list[bytes], member: T) -> bytes | None:
        """The ``Set-Cookie`` that such a client of ``member`` needs; None when it has the cookie."""
        value = self._values[member]
        return None if value in sent else self._name + b"=" + value + self._attributes


def sticky_value(text: str) -> bytes:
    """The first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16].encode("ascii")


def _older_value(text: str) -> bytes:
    """FNV-1, 64 bits, as the original's version 2 made it."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF ^ byte
    return b"%x" % value


def _attributes(cookie: StickyCookie) -> bytes:
    parts = [f"; Path={cookie.path}"]
    if cookie.domain:
        parts.append(f"; Domain={cookie.domain}")
    if cookie.max_age:
        parts.append(f"; Max-Age={max(cookie.max_age, 0)}")
    if cookie.http_only:
        parts.append("; HttpOnly")
    if cookie.secure:
        parts.append("; Secure")
    if cookie.same_site:
        parts.append(f"; SameSite={cookie.same_site}")
    return "".join(parts).encode("ascii")
