"""A worker's end of the control channel: connect, listen, connect again; serving never waits for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from doorward.assembly import frames
from doorward.messages.control import FromWorker, Hello, ToWorker

RETRY = 0.1
"""Seconds between two attempts; the control process is back within a fraction of a second."""


class ControlLink:
    def __init__(self, socket: Path, hello: Callable[[], Hello], heard: Callable[[ToWorker], None]) -> None:
        self._socket = socket
        self._hello = hello
        self._heard = heard
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """For ever."""
        while True:
            with contextlib.suppress(OSError, frames.ChannelClosed, msgspec.DecodeError):
                await self._listen()
            self._writer = None
            await asyncio.sleep(RETRY)

    async def _listen(self) -> None:
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            writer.write(frames.encode(self._hello()))
            self._writer = writer
            while True:
                self._heard(await frames.read_to_worker(reader))
        finally:
            writer.close()

    @property
    def connected(self) -> bool:
        return self._writer is not None and not self._writer.is_closing()

    def tell(self, message: FromWorker) -> bool:
        """Send without waiting; False when nobody is listening now."""
        if self._writer is None or not self.connected:
            return False
        self._writer.write(frames.encode(message))
        return True
