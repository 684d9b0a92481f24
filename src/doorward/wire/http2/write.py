"""Message heads to header blocks: the only place that writes a field of HTTP/2 (S-045, S-113).

No control byte gets out, whatever a middleware or an application put into a field: in HTTP/2 it could not break out of
its field, but behind the next hop there may be HTTP/1. Fields that concern a connection are left out, names become
lower case, so a list made for HTTP/1 can be given as it is.
"""

from __future__ import annotations

from collections.abc import Iterable

from doorward.messages.http import Header
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.fields import is_token
from doorward.wire.http2.fields import CONNECTION_FIELDS, HARMLESS
from doorward.wire.http2.hpack.encoder import encode_field, encode_length, field_prefix

_LEFT_OUT = CONNECTION_FIELDS | {b"te"}
_MAX_KNOWN_NAMES = 4096
_prefixes: dict[bytes, bytes] = {}
"""By name as given: the start of the encoded field, or nothing for a field that is left out."""
_lengths = tuple(map(encode_length, range(127)))
_statuses = {status: encode_field((b":status", b"%d" % status)) for status in range(100, 600)}
TE_TRAILERS = field_prefix(b"te") + encode_length(8) + b"trailers"


def response_block(status: int, headers: Iterable[Header]) -> bytes:
    """The head of a response. Raises UnsafeField."""
    start = _statuses.get(status)
    if start is None:
        raise UnsafeField("status")
    return _block(start, headers)


def request_block(pseudo: Iterable[Header], headers: Iterable[Header], trailers: bool) -> bytes:
    """The head of a request; ``trailers``: say that trailers are welcome (``te``). Raises UnsafeField."""
    start = []
    for name, value in pseudo:
        if value.translate(None, HARMLESS) or b" " in value or not value:
            raise UnsafeField(name.decode("ascii"))
        start.append(encode_field((name, value)))
    if trailers:
        return _block(b"".join(start), headers) + TE_TRAILERS
    return _block(b"".join(start), headers)


def trailers_block(headers: Iterable[Header]) -> bytes:
    """Fields after the body. Raises UnsafeField."""
    return _block(b"", headers)


def _block(start: bytes, headers: Iterable[Header]) -> bytes:
    parts, values = [start], []
    for name, value in headers:
        prefix = _prefixes.get(name)
        if prefix is None:
            prefix = _learn(name)
        if prefix:
            # White space around a value is no part of it and malformed here (RFC 9113 section 8.2.1).
            value = value.strip(b" \t")
            size = len(value)
            parts += (prefix, _lengths[size] if size < 127 else encode_length(size), value)
            values.append(value)
    if b"".join(values).translate(None, HARMLESS):
        raise UnsafeField("control")
    return b"".join(parts)


def _learn(name: bytes) -> bytes:
    if is_token(name) is None:
        raise UnsafeField("header_name")
    lower = name.lower()
    prefix = b"" if lower in _LEFT_OUT else field_prefix(lower)
    if len(_prefixes) >= _MAX_KNOWN_NAMES:
        _prefixes.clear()
    _prefixes[name] = prefix
    return prefix
