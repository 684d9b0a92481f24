"""HPACK to fields (RFC 7541), for one direction of one connection.

What a block may cost is bounded before it is spent (S-908): a string is not looked at before its length is known to
fit, a reference is counted like the field that it refers to, and an integer ends after four bytes.
"""

from __future__ import annotations

from doorward.messages.http import Header
from doorward.wire.http2.hpack.dynamic_table import ENTRY_OVERHEAD, DynamicTable, SizedField, sized
from doorward.wire.http2.hpack.errors import BadBlock, ListTooLarge
from doorward.wire.http2.hpack.huffman import huffman_decode
from doorward.wire.http2.hpack.static_table import STATIC_TABLE

_STATIC: dict[int, SizedField] = dict(enumerate(map(sized, STATIC_TABLE), 1))

_MAX_SHIFT = 21
"""An integer may have four bytes beyond its prefix: 2^28 is more than anything here can be."""
_MAX_RESIZES = 2
"""Table size updates at the start of a block: down and up again is all that section 4.2 has a use for."""


class Decoder:
    """``decode`` each block of the connection, in order, whether or not anybody wants its fields."""

    __slots__ = ("_max_capacity", "_max_list", "_table", "list_size", "version")

    def __init__(self, max_capacity: int, max_list: int) -> None:
        """``max_capacity``: bytes that we offered for the dynamic table. ``max_list``: bytes that one list of fields
        may count, 32 for each field included."""
        self._table = DynamicTable(max_capacity)
        self._max_capacity = max_capacity
        self._max_list = max_list
        self.version = 0
        """Counts changes of the dynamic table: equal blocks mean equal fields while it stays the same."""
        self.list_size = 0
        """What the last list counted."""

    def decode(self, block: bytes) -> list[Header]:
        """The fields in ``block``. Raises BadBlock (the decoder must not be used any more) and ListTooLarge."""
        fields: list[Header] = []
        entries = self._table.entries
        left = self._max_list
        position, end = self._resizes(block), len(block)
        while position < end:
            first = block[position]
            position += 1
            if first >= 0x80:
                index = first & 0x7F
                if index == 0x7F:
                    index, position = _integer(block, position, 0x7F)
                try:
                    field, size = entries[index - 62] if index > 61 else _STATIC[index]
                except LookupError:
                    raise BadBlock("index") from None
            else:
                entry, position = self._literal(block, position, first)
                field, size = entry
            left -= size
            if left >= 0:
                fields.append(field)
            elif left < -self._max_list:
                raise ListTooLarge(whole=False)
        if left < 0:
            raise ListTooLarge(whole=True)
        self.list_size = self._max_list - left
        return fields

    def _resizes(self, block: bytes) -> int:
        """Follow the table size updates that ``block`` starts with (section 4.2). Where the fields begin."""
        position = 0
        for _ in range(_MAX_RESIZES):
            first = block[position : position + 1]
            if not b"\x20" <= first <= b"\x3f":
                break
            position += 1
            capacity = first[0] & 0x1F
            if capacity == 0x1F:
                capacity, position = _integer(block, position, 0x1F)
            if capacity > self._max_capacity:
                raise BadBlock("table_size")
            self._table.resize(capacity)
            self.version += 1
        return position

    def _literal(self, block: bytes, position: int, first: int) -> tuple[SizedField, int]:
        """The literal field whose first byte was ``first``, and where the next one begins (section 6.2)."""
        indexed = first >= 0x40
        if indexed:
            mask = 0x3F
        elif first < 0x20:
            mask = 0x0F
        else:
            # A table size update is for the start of a block only (section 4.2).
            raise BadBlock("table_size")
        index = first & mask
        if index == mask:
            index, position = _integer(block, position, mask)
        if index:
            name = self._name(index)
        else:
            name, position = self._string(block, position)
        value, position = self._string(block, position)
        entry = (name, value), len(name) + len(value) + ENTRY_OVERHEAD
        if indexed:
            self._table.insert(entry)
            self.version += 1
        return entry, position

    def _name(self, index: int) -> bytes:
        entries = self._table.entries
        try:
            return (entries[index - 62] if index > 61 else _STATIC[index])[0][0]
        except LookupError:
            raise BadBlock("index") from None

    def _string(self, block: bytes, position: int) -> tuple[bytes, int]:
        """A string literal and where it ends (section 5.2)."""
        if position >= len(block):
            raise BadBlock("truncated")
        first = block[position]
        position += 1
        length = first & 0x7F
        if length == 0x7F:
            length, position = _integer(block, position, 0x7F)
        end = position + length
        if end > len(block):
            raise BadBlock("truncated")
        data = block[position:end]
        return (huffman_decode(data) if first & 0x80 else data), end


def _integer(block: bytes, position: int, prefix: int) -> tuple[int, int]:
    """The integer whose prefix was all ones, and where it ends (section 5.1)."""
    value, shift = prefix, 0
    for byte in block[position : position + _MAX_SHIFT // 7 + 1]:
        position += 1
        value += (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise BadBlock("integer" if shift > _MAX_SHIFT else "truncated")
