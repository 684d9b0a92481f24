"""Which fields may stand in an HTTP/2 message (RFC 9113 section 8.2; S-038, S-039, S-043).

Short fields are judged once for all connections and remembered with what they are good for: most requests bring a new
path and perhaps a new cookie, and a dozen fields that the last ones had as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum

from doorward.messages.http import Header
from doorward.wire.http1.fields import has_control
from doorward.wire.http1.trailers import permitted
from doorward.wire.http2.codes import ErrorCode
from doorward.wire.http2.errors import StreamFault
from doorward.wire.http2.hpack.encoder import NEVER_INDEXED
from doorward.wire.quick_enum import quick

HARMLESS = bytes([9, *range(32, 127), *range(128, 256)])
"""Bytes that may stand in a value: all but the control bytes, HTAB excepted (S-012)."""

CONNECTION_FIELDS = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
"""What they say is said by frames here; in a message they are an attempt to smuggle (section 8.2.2)."""

_is_name = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
"""A token without capital letters (section 8.2.1)."""


@quick
class Role(IntEnum):
    """What a field is to us, beside being passed on."""

    PLAIN = 0
    LENGTH = 1
    HOST = 2
    COOKIE = 3
    TE = 4
    EXPECT = 5
    SINGLE = 6
    """A request must not have two of them (S-044)."""
    HOP = 7
    """Concerns the two ends of a connection only, and is not passed on by whoever receives it."""


_ROLES = {
    b"content-length": Role.LENGTH,
    b"host": Role.HOST,
    b"cookie": Role.COOKIE,
    b"te": Role.TE,
    b"expect": Role.EXPECT,
    b"authorization": Role.SINGLE,
    b"content-type": Role.SINGLE,
    b"origin": Role.SINGLE,
    b"sec-websocket-key": Role.SINGLE,
    b"sec-websocket-version": Role.SINGLE,
    b"proxy-authenticate": Role.HOP,
    b"trailer": Role.HOP,
    b"trailers": Role.HOP,
}


def malformed(reason: str) -> StreamFault:
    """A message that is not one (section 8.1.1)."""
    return StreamFault(ErrorCode.PROTOCOL_ERROR, reason)


def check_value(value: bytes) -> None:
    """Raises StreamFault if ``value`` has a control byte in it, or white space around it."""
    if has_control(value) is not None or value.strip(b" \t") != value:
        raise malformed("header_value")


class RoleTable(dict[Header, Role]):
    """``table[field]`` is the role of a field that may stand in a message; raises StreamFault for any other."""

    _MOST = 1024
    _LONGEST = 256

    def __missing__(self, field: Header) -> Role:
        name, value = field
        role = _role_of(name)
        check_value(value)
        if len(name) + len(value) <= self._LONGEST and name not in NEVER_INDEXED:
            if len(self) >= self._MOST:
                self.clear()
            self[field] = role
        return role


def _role_of(name: bytes) -> Role:
    if _is_name(name) is None:
        # A name with a colon in front is one of the pseudo-fields: unknown, or not in its place.
        raise malformed("pseudo" if name.startswith(b":") else "header_name")
    if name in CONNECTION_FIELDS:
        raise malformed("connection_field")
    return _ROLES.get(name, Role.PLAIN)


ROLES = RoleTable()


def check_field_sizes(fields: Sequence[Header], size: int, limit: int) -> bool:
    """No field, of ``fields`` that count ``size`` together, is longer than ``limit``."""
    return size <= limit or all(len(name) + len(value) <= limit for name, value in fields)


def parse_trailers(fields: list[Header]) -> tuple[Header, ...]:
    """Those of the trailer ``fields`` that may be passed on. Raises StreamFault."""
    for field in fields:
        ROLES[field]
    return permitted(fields)
