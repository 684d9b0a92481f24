"""The name of one request: in the log, in ``X-Request-Id`` towards servers, on error pages and in events.

32 random hexadecimal digits, so that nobody learns from one how many there were between two. They are made many at a
time, because asking the system for randomness costs more than everything else about them. What a trusted proxy in
front calls the request is kept if it can be nothing but a name.
"""

from __future__ import annotations

import os
import re

FIELD = b"x-request-id"
_BATCH = 256
_name = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._~:=+/-]{0,127}").fullmatch


class RequestIds:
    """Gives each request another one."""

    __slots__ = ("_ready",)

    def __init__(self) -> None:
        self._ready: list[bytes] = []

    def next(self) -> bytes:
        if not self._ready:
            digits = os.urandom(16 * _BATCH).hex().encode("ascii")
            self._ready = [digits[start : start + 32] for start in range(0, 32 * _BATCH, 32)]
        return self._ready.pop()


def acceptable(value: bytes) -> bool:
    """Whether ``value``, from a peer that may speak for the client, is kept: no longer than 128 characters, none of
    them one that a log line, a page or a field would have to escape."""
    return _name(value) is not None
