"""Notices that a file of an outpost has changed, so that a token which a secret store renews is taken up by itself.

Looking at a handful of files every two seconds costs nothing, and finds what events miss: a folder that was mounted
anew, a link that leads elsewhere now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

LOOK = 2.0
"""Seconds."""
Seen = dict[str, tuple[int, int, int] | None]


async def watch(files: Callable[[], Sequence[str]], changed: Callable[[], None], every: float = LOOK) -> None:
    """Call ``changed`` when one of ``files`` is another one than before, and has been the same since the last look.
    For ever."""
    known = before = looked_at(files())
    while True:
        await asyncio.sleep(every)
        seen = looked_at(files())
        if seen.keys() != known.keys():
            known = seen
        elif seen != known and seen == before:
            known = seen
            changed()
        before = seen


def looked_at(files: Sequence[str]) -> Seen:
    """What can be told of each without reading it; None for one that is not there."""
    return {file: _state(file) for file in files}


def _state(file: str) -> tuple[int, int, int] | None:
    try:
        state = Path(file).stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
