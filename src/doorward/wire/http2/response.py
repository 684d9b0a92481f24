"""A response's fields to the same ``ReceivedHead`` that HTTP/1 gives (RFC 9113 section 8.3.2; S-034, S-035)."""

from __future__ import annotations

import re

from doorward.messages.http import Header
from doorward.wire.http1.errors import Rejected
from doorward.wire.http1.request import parse_length
from doorward.wire.http1.response import ReceivedHead
from doorward.wire.http2.fields import ROLES, Role, malformed

_is_status = re.compile(rb"[1-9][0-9]{2}").fullmatch
_PASSED_ON = (Role.PLAIN, Role.SINGLE, Role.COOKIE, Role.EXPECT, Role.HOST)
_NOTHING: frozenset[bytes] = frozenset()


def parse_response(fields: list[Header], method: bytes, ended: bool) -> ReceivedHead:
    """``method`` is what was asked; ``ended``: no body follows. Raises StreamFault."""
    status = _status(fields)
    headers: list[Header] = []
    stated: int | None = None
    for field in fields[1:]:
        role = ROLES[field]
        if role in _PASSED_ON:
            headers.append(field)
        elif role is Role.LENGTH:
            if stated is not None:
                raise malformed("cl_dup")
            stated = _length(field[1])
    if method == b"HEAD" or status < 200 or status in (204, 304):
        length: int | None = 0
    elif ended:
        if stated:
            raise malformed("content_length")
        length = stated = 0
    else:
        length = stated
    return ReceivedHead(
        status=status,
        reason=b"",
        headers=tuple(headers),
        length=length,
        chunked=length is None,
        stated_length=stated,
        keep_alive=True,
        upgrade=_NOTHING,
    )


def _status(fields: list[Header]) -> int:
    if not fields or fields[0][0] != b":status":
        raise malformed("pseudo")
    value = fields[0][1]
    # 101 does not exist here: what it would do, extended CONNECT does (section 8.6).
    if _is_status(value) is None or value == b"101":
        raise malformed("status")
    return int(value)


def _length(value: bytes) -> int:
    try:
        return parse_length(value)
    except Rejected as rejected:
        raise malformed(rejected.reason) from None
