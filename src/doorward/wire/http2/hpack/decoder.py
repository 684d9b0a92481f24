"""HPACK to fields (RFC 7541), for one direction of one connection.

What a block may cost is bounded before it is spent (S-908): a string is not looked at before its length is known to
fit, a reference is counted like the field that it refers to, and an integer ends after four bytes.
"""

from __future__ import annotations

import re

from doorward.messages.http import Header
from doorward.wire.http2.hpack.dynamic_table import ENTRY_OVERHEAD, DynamicTable, SizedField, sized
from doorward.wire.http2.hpack.errors import BadBlock, ListTooLarge
from doorward.wire.http2.hpack.huffman import huffman_decode
from doorward.wire.http2.hpack.static_table import STATIC_TABLE

_STATIC: dict[int, SizedField] = dict(enumerate(map(sized, STATIC_TABLE), 1))

_MAX_SHIFT = 21
"""An integer may have four bytes beyond its prefix: 2^28 is more than anything here can be."""
_MAX_RESIZES = 2
"""Table size updates may start a block, and stand nowhere else; down and up again is all that there is a use for
(section 4.2)."""


_run_at = re.compile(rb"[\x81-\xfe]{0,64}").match
"""Fields that are each one byte: references into the tables (section 6.1)."""
_MOST_RUNS = 16


class Decoder:
    """``decode`` each block of the connection, in order, whether or not anybody wants its fields.

    A client that asks for one thing after the other sends the same run of references each time, between the few fields
    that are new. What a run stands for is remembered until the table changes.
    """

    __slots__ = ("_max_capacity", "_max_list", "_runs", "_table", "list_size", "version")

    def __init__(self, max_capacity: int, max_list: int) -> None:
        """``max_capacity``: bytes that we offered for the dynamic table. ``max_list``: bytes that one list of fields
        may count, 32 for each field included."""
        self._table = DynamicTable(max_capacity)
        self._max_capacity = max_capacity
        self._max_list = max_list
        self._runs: dict[bytes, tuple[tuple[Header, ...], int]] = {}
        self.version = 0
        """Counts changes of the dynamic table: equal blocks mean equal fields while it stays the same."""
        self.list_size = 0
        """What the last list counted."""

    def decode(self, block: bytes) -> list[Header]:
        """The fields in ``block``. Raises BadBlock (the decoder must not be used any more) and ListTooLarge."""
        fields: list[Header] = []
        left = self._max_list
        position, end = 0, len(block)
        resizes = 0
        while position < end:
            first = block[position]
            if 0x80 < first < 0xFF:
                match = _run_at(block, position)
                assert match is not None
                run = match[0]
                known, size = self._runs.get(run) or self._read_run(run)
                position += len(run)
            elif first & 0xE0 == 0x20:
                resizes += 1
                if resizes > _MAX_RESIZES or left < self._max_list:
                    raise BadBlock("table_size")
                position = self._resize(block, position)
                continue
            else:
                (field, size), position = self._field(block, position)
                known = (field,)
            left -= size
            if left >= 0:
                fields += known
            elif left < -self._max_list:
                raise ListTooLarge(whole=False)
        if left < 0:
            raise ListTooLarge(whole=True)
        self.list_size = self._max_list - left
        return fields

    def _read_run(self, run: bytes) -> tuple[tuple[Header, ...], int]:
        """The fields that ``run`` refers to, and what they count."""
        found = [self._entry(byte & 0x7F) for byte in run]
        if len(self._runs) >= _MOST_RUNS:
            self._runs.clear()
        meaning = self._runs[run] = tuple(field for field, _ in found), sum(size for _, size in found)
        return meaning

    def _entry(self, index: int) -> SizedField:
        """The field at ``index`` of both tables (section 2.3.3)."""
        try:
            return self._table.entries[index - 62] if index > 61 else _STATIC[index]
        except LookupError:
            raise BadBlock("index") from None

    def _table_changed(self) -> None:
        self.version += 1
        self._runs.clear()

    def _resize(self, block: bytes, position: int) -> int:
        """Follow the table size update at ``position`` (section 6.3). Where it ends."""
        capacity = block[position] & 0x1F
        position += 1
        if capacity == 0x1F:
            capacity, position = _integer(block, position, 0x1F)
        if capacity > self._max_capacity:
            raise BadBlock("table_size")
        self._table.resize(capacity)
        self._table_changed()
        return position

    def _field(self, block: bytes, position: int) -> tuple[SizedField, int]:
        """The field at ``position``, and where the next one begins (section 6)."""
        first = block[position]
        indexed = first >= 0x40
        mask = 0x7F if first >= 0x80 else 0x3F if indexed else 0x0F
        index = first & mask
        position += 1
        if index == mask:
            index, position = _integer(block, position, mask)
        if first >= 0x80:
            return self._entry(index), position
        if index:
            name = self._entry(index)[0][0]
        else:
            name, position = self._string(block, position)
        value, position = self._string(block, position)
        entry = (name, value), len(name) + len(value) + ENTRY_OVERHEAD
        if indexed:
            self._table.insert(entry)
            self._table_changed()
        return entry, position

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
