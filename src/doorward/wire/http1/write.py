"""Message heads to bytes: the only place that writes a header field (S-045, S-113).

The last line of defence against response splitting: whatever a middleware, an auth server or a configuration put
into a field, no line end and no other control byte gets out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from doorward.messages.http import Header
from doorward.wire.http1.errors import UnsafeField
from doorward.wire.http1.fields import is_token

_HARMLESS = bytes([9, *range(32, 127), *range(128, 256)])
_MAX_KNOWN_NAMES = 4096
_known_names: set[bytes] = set()
"""Names that were found to be tokens; asking a set is cheaper than asking the grammar again."""


def message_head(start_line: bytes, headers: Iterable[Header]) -> bytes:
    """The start line, the fields and the empty line. Raises UnsafeField."""
    return checked_line(start_line) + field_block(headers)


def checked_line(start_line: bytes) -> bytes:
    """``start_line`` as it is. Raises UnsafeField if it is more than a line."""
    if start_line.translate(None, _HARMLESS):
        raise UnsafeField("control")
    return start_line


def field_block(headers: Iterable[Header]) -> bytes:
    """What follows a start line: its line end, the fields, the empty line. Raises UnsafeField."""
    lines = [b""]
    for name, value in headers:
        if name not in _known_names:
            _learn(name)
        lines.append(name + b": " + value)
    block = b"\r\n".join(lines)
    # Deleting every harmless byte must leave exactly the line ends that stand between the lines.
    if block.translate(None, _HARMLESS) != b"\r\n" * (len(lines) - 1):
        raise UnsafeField("control")
    return block + b"\r\n\r\n"


class BlockMemory:
    """The last few blocks of fields that were written, to be written again when nothing about them has changed.

    One client asks with the same few sets of fields again and again, and what goes on from here differs as little.
    Comparing two lists of the very same pairs takes a glance at each; writing and checking them takes ten times as
    long.
    """

    __slots__ = ("_kept",)

    _MOST = 4
    _MAX_SIZE = 8192

    def __init__(self) -> None:
        self._kept: list[tuple[Sequence[Header], object, bytes]] = []

    def recall(self, headers: Sequence[Header], facts: object) -> bytes | None:
        """The block that was kept for equal ``headers`` and equal ``facts`` (whatever else decides on the block)."""
        for kept_headers, kept_facts, block in self._kept:
            if (headers is kept_headers or headers == kept_headers) and facts == kept_facts:
                return block
        return None

    def keep(self, headers: Sequence[Header], facts: object, block: bytes) -> bytes:
        """Remember ``block``, and give it back."""
        if len(block) <= self._MAX_SIZE:
            if len(self._kept) >= self._MOST:
                self._kept.pop(0)
            self._kept.append((headers if isinstance(headers, tuple) else list(headers), facts, block))
        return block

    def forget(self) -> None:
        """Free the memory: nothing is expected soon."""
        self._kept.clear()


def _learn(name: bytes) -> None:
    if is_token(name) is None:
        raise UnsafeField("header_name")
    if len(_known_names) >= _MAX_KNOWN_NAMES:
        _known_names.clear()
    _known_names.add(name)
