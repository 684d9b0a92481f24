"""A response head from a server that we asked: bytes to ``ReceivedHead``, or ``BadResponse`` (S-034, S-035).

The server is as hostile as a client (boundary B3). What concerns only the connection to it is taken out here and
turned into facts; what is left in ``headers`` is end-to-end and may be passed on.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from doorward.messages.http import Header
from doorward.wire.http1.errors import BadResponse, WireError
from doorward.wire.http1.fields import parse_fields
from doorward.wire.http1.limits import Limits
from doorward.wire.http1.request import parse_length

_status_line = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([^\x00-\x08\x0a-\x1f\x7f]*))?").fullmatch

_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"connection", b"upgrade"))
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"trailers",
        b"transfer-encoding",
        b"upgrade",
        b"content-length",
    )
)
"""Not passed on (proxy contract section 6.2); ``Content-Length`` is written anew from the facts."""


class ReceivedHead(Struct, frozen=True):
    """A status line and its fields, validated."""

    status: int
    reason: bytes
    headers: tuple[Header, ...]
    """End-to-end fields in the order received, without ``Content-Length``."""
    length: int | None
    """Bytes of body that follow; None: chunked, or until the connection ends."""
    chunked: bool
    stated_length: int | None
    """``Content-Length`` as stated; differs from ``length`` in answers to HEAD and in 304."""
    keep_alive: bool
    """The connection can be used again afterwards."""
    upgrade: frozenset[bytes]
    """Tokens of ``Upgrade``, lower case, if ``Connection`` says that it is meant."""


def parse_response_head(raw: bytes, method: bytes, limits: Limits) -> ReceivedHead:
    """``raw`` is everything up to and including the empty line; ``method`` is what was asked. Raises BadResponse."""
    line, _, block = raw.partition(b"\r\n")
    match = _status_line(line)
    if match is None:
        raise BadResponse("status_line")
    status = int(match[2])
    http11 = match[1] == b"1"
    try:
        headers = parse_fields(block[:-2])
        if len(headers) > limits.fields:
            raise BadResponse("header_fields")
        return _assemble(status, match[3] or b"", http11, headers, method)
    except BadResponse:
        raise
    except WireError as error:
        raise BadResponse(error.reason) from None


def _assemble(status: int, reason: bytes, http11: bool, headers: list[Header], method: bytes) -> ReceivedHead:
    kept: list[Header] = []
    lengths: list[bytes] = []
    codings: list[bytes] = []
    connection: frozenset[bytes] = frozenset()
    upgrade: frozenset[bytes] = frozenset()
    for header in headers:
        key = header[0].lower()
        if key not in _HOP_BY_HOP:
            kept.append(header)
        elif key == b"content-length":
            lengths.append(header[1])
        elif key == b"transfer-encoding":
            codings.append(header[1])
        elif key == b"connection":
            connection |= _tokens(header[1])
        elif key == b"upgrade":
            upgrade |= _tokens(header[1])
    named = connection - {b"close", b"keep-alive", b"upgrade"}
    if named:
        kept = [header for header in kept if header[0].lower() not in named]
    stated = _stated_length(lengths, codings, http11)
    chunked = bool(codings)
    bodiless = method == b"HEAD" or status < 200 or status in (204, 304)
    length = 0 if bodiless else stated
    until_close = length is None and not chunked
    keep_alive = b"close" not in connection and (http11 or b"keep-alive" in connection) and not until_close
    return ReceivedHead(
        status,
        reason,
        tuple(kept),
        length,
        chunked and not bodiless,
        stated,
        keep_alive,
        upgrade if b"upgrade" in connection else frozenset(),
    )


def _stated_length(lengths: list[bytes], codings: list[bytes], http11: bool) -> int | None:
    if len(lengths) > 1:
        raise BadResponse("cl_dup")
    if codings:
        if lengths:
            raise BadResponse("cl_te")
        if len(codings) > 1 or codings[0].lower() != b"chunked" or not http11:
            raise BadResponse("te_unknown")
        return None
    return parse_length(lengths[0]) if lengths else None


@lru_cache(maxsize=256)
def _tokens(value: bytes) -> frozenset[bytes]:
    return frozenset(token.strip(b" \t") for token in value.lower().split(b",")) - {b""}
