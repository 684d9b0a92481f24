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
from doorward.wire.http2.hpack.encoder import NEVER_INDEXED, encode_field, encode_length, field_prefix

_LEFT_OUT = CONNECTION_FIELDS | {b"te"}
_statuses = {status: encode_field((b":status", b"%d" % status)) for status in range(100, 600)}
TE_TRAILERS = encode_field((b"te", b"trailers"))

_prefixes: dict[bytes, bytes] = {}
"""By name as given: the start of the encoded field, or nothing for a field that is left out."""
_MOST_PREFIXES = 4096
_fields: dict[Header, bytes] = {}
"""Short fields that were checked and encoded before. What is new in every response only empties it now and then."""
_MOST_FIELDS = 1024
_LONGEST_FIELD = 64


def response_block(status: int, headers: Iterable[Header]) -> bytes:
    """The head of a response. Raises UnsafeField."""
    start = _statuses.get(status)
    if start is None:
        raise UnsafeField("status")
    return _block(start, headers)


def request_block(pseudo: Iterable[Header], headers: Iterable[Header], trailers: bool, encoded: bytes = b"") -> bytes:
    """The head of a request; ``trailers``: say that trailers are welcome (``te``); ``encoded``: more fields, out of
    ``fields_block``. Raises UnsafeField."""
    start = []
    for name, value in pseudo:
        if value.translate(None, HARMLESS) or b" " in value or not value:
            raise UnsafeField(name.decode("ascii"))
        start.append(encode_field((name, value)))
    if encoded:
        start.append(encoded)
    if trailers:
        return _block(b"".join(start), headers) + TE_TRAILERS
    return _block(b"".join(start), headers)


def fields_block(headers: Iterable[Header]) -> bytes:
    """Fields of a head, to be sent again and again. Raises UnsafeField."""
    return _block(b"", headers)


def trailers_block(headers: Iterable[Header]) -> bytes:
    """Fields after the body. Raises UnsafeField."""
    return _block(b"", headers)


def _block(start: bytes, headers: Iterable[Header]) -> bytes:
    parts = [start]
    for field in headers:
        encoded = _fields.get(field)
        parts.append(_encode(field) if encoded is None else encoded)
    return b"".join(parts)


def _encode(field: Header) -> bytes:
    name, value = field
    prefix = _prefixes.get(name)
    if prefix is None:
        prefix = _learn(name)
    if value.translate(None, HARMLESS):
        raise UnsafeField("control")
    if not prefix:
        return b""
    # White space around a value is no part of it and malformed here (RFC 9113 section 8.2.1).
    value = value.strip(b" \t")
    encoded = prefix + encode_length(len(value)) + value
    if len(encoded) <= _LONGEST_FIELD and name.lower() not in NEVER_INDEXED:
        if len(_fields) >= _MOST_FIELDS:
            _fields.clear()
        _fields[field] = encoded
    return encoded


def _learn(name: bytes) -> bytes:
    if is_token(name) is None:
        raise UnsafeField("header_name")
    lower = name.lower()
    prefix = b"" if lower in _LEFT_OUT else field_prefix(lower)
    if len(_prefixes) >= _MOST_PREFIXES:
        _prefixes.clear()
    _prefixes[name] = prefix
    return prefix
