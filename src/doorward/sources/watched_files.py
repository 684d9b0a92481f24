"""The files that a table was made of besides the configuration itself: when one changes, the table is made anew.

Certificates are renewed by programs that know nothing of us. What they write (a file, a folder that is swapped, a
symbolic link that points elsewhere) is an event in one of the folders that are watched here: that of each file, and
that of what it links to.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from watchfiles import awatch

_DEBOUNCE = 100
"""Milliseconds in which several events count as one change."""
_RETRY = 1.0
"""Seconds until folders that cannot be watched are tried again."""


class WatchedFiles:
    """Calls back when one of some files has changed; which ones may be said again at any time."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._wanted: frozenset[str] = frozenset()
        self._folders: frozenset[str] = frozenset()
        self._task: asyncio.Task[None] | None = None

    def watch(self, paths: Iterable[Path]) -> None:
        """From now on these, and no others. A folder among them counts with everything in it."""
        wanted: set[str] = set()
        for path in paths:
            wanted |= {str(path.absolute()), str(path.resolve())}
        folders = {_nearest_folder(Path(path)) for path in wanted}
        self._wanted = frozenset(wanted)
        if folders != self._folders or self._task is None or self._task.done():
            self._folders = frozenset(folders)
            self._stop()
            if folders:
                self._task = asyncio.ensure_future(self._run(sorted(folders)))

    async def close(self) -> None:
        task = self._stop()
        if task is not None:
            with suppress(asyncio.CancelledError):
                await task

    def _stop(self) -> asyncio.Task[None] | None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        return task

    async def _run(self, folders: list[str]) -> None:
        while True:
            try:
                changes = awatch(*folders, watch_filter=self._concerns_us, debounce=_DEBOUNCE, recursive=False)
                async for _ in changes:
                    self._changed()
            except (OSError, RuntimeError):
                # A folder is gone; when it comes back, that is a change as well.
                await asyncio.sleep(_RETRY)
                self._changed()

    def _concerns_us(self, change: object, path: str) -> bool:
        """One of ours, something in a folder of ours, a folder above one of ours, or Kubernetes' swap of a volume."""
        folder, name = os.path.split(path)  # called for every event
        return (
            path in self._wanted
            or folder in self._wanted
            or name.startswith("..")
            or any(wanted.startswith(path + os.sep) for wanted in self._wanted)
        )


def _nearest_folder(path: Path) -> str:
    """What to watch for ``path``: the folder itself, or that of the file; the nearest above that exists."""
    folder = path if path.is_dir() else path.parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return str(folder)
