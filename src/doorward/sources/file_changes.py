"""When the configuration's files are to be read: at the start, when one has changed, and when somebody asks.

Watching needs none of the libraries that reading needs, and runs in the process that stays.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

from watchfiles import awatch

from doorward.messages.plan import FilesPlan

_DEBOUNCE = 100
"""Milliseconds in which several events count as one change."""
_RETRY = 1.0
"""Seconds until a folder that cannot be watched is tried again."""


class FileChanges:
    """See the module. ``throttle``: seconds between two readings at least."""

    def __init__(self, files: FilesPlan, throttle: float = 2.0) -> None:
        self._directory = Path(files.directory) if files.directory else None
        self._file = Path(files.filename)
        self._watches = files.watch
        self._throttle = throttle
        self._changed = asyncio.Event()

    def reload(self) -> None:
        """Read again as soon as the throttle allows, whether or not anything seems to have changed."""
        self._changed.set()

    async def readings(self) -> AsyncGenerator[None, None]:
        """One now, and one for every change, whatever it changed. Never ends."""
        watching = asyncio.ensure_future(self._watch()) if self._watches else None
        try:
            while True:
                self._changed.clear()
                yield
                await asyncio.sleep(self._throttle)
                await self._changed.wait()
        finally:
            if watching is not None:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching

    async def _watch(self) -> None:
        folder = self._directory if self._directory is not None else self._file.absolute().parent
        while True:
            try:
                changes = awatch(
                    folder,
                    watch_filter=self._concerns_us,
                    debounce=_DEBOUNCE,
                    recursive=self._directory is not None,
                )
                async for _ in changes:
                    self._changed.set()
            except (OSError, RuntimeError):
                # The folder is gone; when it comes back, that is a change as well.
                await asyncio.sleep(_RETRY)
                self._changed.set()

    def _concerns_us(self, change: object, path: str) -> bool:
        """Beside a single file there may be others that change all the time, such as a database."""
        name = os.path.basename(path)  # noqa: PTH119 - called for every event
        return self._directory is not None or name == self._file.name or name.startswith("..")
