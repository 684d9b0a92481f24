"""The control process's end of the control channels: every worker that connects is told the whole state, then
each change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from doorward.assembly import frames
from doorward.assembly.session_ends import SessionEnds
from doorward.messages.control import FromWorker, Hello, SessionsEnded, SessionsForgotten, ToWorker

UNREAD_LIMIT = 256 << 20
"""Bytes that may wait for a worker that does not read; beyond them it is cut off, and comes back for the whole."""

Reply = Callable[[ToWorker], None]
"""Sends an answer to the worker that asked."""


class WorkerLinks:
    def __init__(
        self,
        current: Callable[[], list[ToWorker]],
        ended_since: Callable[[int], Awaitable[SessionsEnded | None]],
        heard: Callable[[int, FromWorker, Reply], None],
        gone: Callable[[int], None],
        ends: SessionEnds,
    ) -> None:
        self._current = current
        self._ended_since = ended_since
        self._heard = heard
        self._gone = gone
        self._ends = ends
        self._writers: dict[asyncio.StreamWriter, int] = {}

    async def listen(self, socket: Path) -> asyncio.Server:
        server = await asyncio.start_unix_server(self._serve, str(socket))
        socket.chmod(0o600)
        return server

    def tell_all(self, message: ToWorker) -> None:
        frame = frames.encode(message)
        for writer in list(self._writers):
            if writer.transport.get_write_buffer_size() > UNREAD_LIMIT:
                writer.transport.abort()
            else:
                writer.write(frame)

    def tell_one(self, message: ToWorker) -> bool:
        """Tell any one worker; False when none is connected."""
        for writer in self._writers:
            if not writer.is_closing():
                writer.write(frames.encode(message))
                return True
        return False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pid = 0
        try:
            hello = await frames.read_from_worker(reader)
            if not isinstance(hello, Hello):
                return
            pid = hello.pid
            for true_now in self._current():
                writer.write(frames.encode(true_now))
            self._writers[writer] = pid
            self._ends.came(pid, hello.worker, hello.position)
            # What ended while the worker heard nobody. From here on it also hears what is told to all.
            missed = await self._ended_since(hello.position) if hello.position >= 0 else None
            if missed is not None:
                writer.write(frames.encode(missed))
            while True:
                message = await frames.read_from_worker(reader)
                if isinstance(message, SessionsForgotten):
                    self._ends.forgot(pid, message.position)
                    continue
                self._heard(pid, message, lambda answer: writer.write(frames.encode(answer)))
        except (frames.ChannelClosed, msgspec.DecodeError, OSError, asyncio.CancelledError):
            pass  # the worker will be back, or we are stopping
        finally:
            self._writers.pop(writer, None)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            if pid:
                self._ends.gone(pid)
                self._gone(pid)
