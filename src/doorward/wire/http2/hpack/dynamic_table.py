"""The fields that one side of a connection has asked the other to remember (RFC 7541 section 2.3.2)."""

from __future__ import annotations

from doorward.messages.http import Header

ENTRY_OVERHEAD = 32
"""What an entry counts beyond its bytes (section 4.1); a header list's size is counted alike."""

SizedField = tuple[Header, int]
"""A field and what it counts, so that a field that is referred to need not be measured again."""


def sized(field: Header) -> SizedField:
    return field, len(field[0]) + len(field[1]) + ENTRY_OVERHEAD


class DynamicTable:
    """Newest entry first, as indices count."""

    __slots__ = ("capacity", "entries", "size")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.entries: list[SizedField] = []
        """At most ``capacity / 32`` of them: putting one in front moves a few hundred pointers at most."""
        self.size = 0

    def insert(self, entry: SizedField) -> None:
        """Put ``entry`` in front; the oldest give way. One that is larger than the table empties it (section 4.4)."""
        size = entry[1]
        self._shrink_to(self.capacity - size)
        if size <= self.capacity:
            self.entries.insert(0, entry)
            self.size += size

    def resize(self, capacity: int) -> None:
        """The other side said so."""
        self.capacity = capacity
        self._shrink_to(capacity)

    def _shrink_to(self, size: int) -> None:
        while self.size > size and self.entries:
            self.size -= self.entries.pop()[1]
