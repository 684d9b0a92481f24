"""What can be wrong with a header block."""

from __future__ import annotations

from doorward.wire.http1.errors import WireError


class BadBlock(WireError):
    """A block that breaks the format: the two tables no longer agree, so the connection is lost (section 4.3 of
    RFC 9113, COMPRESSION_ERROR)."""


class ListTooLarge(WireError):
    """The list in the block is longer than we allow (S-908)."""

    def __init__(self, whole: bool) -> None:
        super().__init__("header_size")
        self.whole = whole
        """The block was read to its end, so the dynamic table is right and the next block can be read. False: it was
        so far over the limit that reading on was not worth it."""
