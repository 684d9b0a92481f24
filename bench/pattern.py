"""Bodies whose every piece can be told from every other."""

from __future__ import annotations


def pattern(size: int) -> bytes:
    """Bytes without a short period, so that a lost, doubled or moved piece shows."""
    line = b"".join(b"%07d\n" % number for number in range(16411))
    return (line * (size // len(line) + 1))[:size]
