"""Fields to HPACK without memory: nothing is put into the peer's dynamic table (RFC 7541 section 6.2.2).

What a proxy sends is different from response to response just where indexing would have to help, and a table would
have to be kept per connection. Instead the static table is used, and the start of a field that depends on its name
alone is made once for all connections (``field_prefix``).
"""

from __future__ import annotations

from doorward.messages.http import Header
from doorward.wire.http2.hpack.static_table import INDEX_OF_FIELD, INDEX_OF_NAME

NEVER_INDEXED = frozenset((b"authorization", b"cookie", b"proxy-authorization", b"set-cookie"))
"""Secrets, which no later hop may put into a table either (section 7.1.3)."""

_SHORT_LENGTHS = tuple(bytes((length,)) for length in range(127))

EMPTY_THE_TABLE = b"\x20"
"""A dynamic table size update to nothing (section 6.3): what a peer that shrinks its table must hear (section 4.2)."""


def encode_integer(value: int, bits: int, first: int = 0) -> bytes:
    """``value`` with a prefix of ``bits`` bits in a byte whose other bits are ``first`` (section 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes((first | value,))
    encoded = bytearray((first | most,))
    value -= most
    while value >= 128:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def encode_length(size: int) -> bytes:
    """The length of a string that is sent as it is."""
    return _SHORT_LENGTHS[size] if size < 127 else encode_integer(size, 7)


def field_prefix(name: bytes) -> bytes:
    """Everything of a literal field before its value; ``name`` is in lower case."""
    kind = 0x10 if name in NEVER_INDEXED else 0x00
    index = INDEX_OF_NAME.get(name)
    if index is not None:
        return encode_integer(index, 4, kind)
    return bytes((kind,)) + encode_length(len(name)) + name


def encode_field(field: Header) -> bytes:
    """One field, by its index if the static table has it whole."""
    index = INDEX_OF_FIELD.get(field)
    if index is not None and field[1]:
        return encode_integer(index, 7, 0x80)
    return field_prefix(field[0]) + encode_length(len(field[1])) + field[1]
