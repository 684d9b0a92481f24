"""The control process's end of the compiler: starts it when a table is to be made, and lets it go afterwards.

Starting takes a third of a second, and what an administrator changes must be in force within one. So it is started when
one is seen at work or a file was changed, and stays for a while; it stays as well while there are applications in
proxy mode, whose routes come from the identity provider. After the first table its memory (40 MB) is given back at
once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from asyncio.subprocess import PIPE, Process

import msgspec

from doorward.assembly.state_folder import StateFolder
from doorward.messages.compiling import Kept, MakeRoutes, RoutesMade
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.plan import Plan
from doorward.sources.following import CannotMake

PATIENCE = 60.0
"""Seconds for one table; ten thousand routers take three."""
GRACE = 5.0
"""Seconds in which it must have gone when it may."""
EXPECTED = 600.0
"""Seconds for which it stays ready after an administrator was at work."""
CHANGING = 60.0
"""Seconds for which it stays ready after a change: there may be another."""
LARGEST = 256 << 20
OWN_NAMES = ("127.0.0.1", "::1", "localhost")
PROGRAM = (sys.executable, "-P", "-m", "doorward.assembly.compiler_process")


class Compiler:
    """See the module."""

    def __init__(
        self, plan: Plan, folder: StateFolder, program: tuple[str, ...] = PROGRAM, patience: float = PATIENCE
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._program = program
        self._patience = patience
        self._process: Process | None = None
        self._kept = Kept()
        self._one_at_a_time = asyncio.Lock()
        self._proxied = False
        self._expected_until = -EXPECTED
        self._expecting: asyncio.Task[None] | None = None

    def expect(self, seconds: float = EXPECTED) -> None:
        """A table may be wanted in the next ``seconds``: be ready."""
        self._expected_until = max(self._expected_until, time.monotonic() + seconds)
        if self._expecting is None or self._expecting.done():
            self._expecting = asyncio.create_task(self._be_ready())

    async def begin(self) -> None:
        """Start it now, so that the first table does not wait for it."""
        async with self._one_at_a_time:
            with contextlib.suppress(OSError):  # whoever wants a table will hear of it
                await self._started()

    async def _be_ready(self) -> None:
        await self.begin()
        while (rest := self._expected_until - time.monotonic()) > 0:
            await asyncio.sleep(rest)
        async with self._one_at_a_time:
            if not self._proxied:
                await self._end()

    async def make(self, read: bool, outposts: OutpostConfiguration) -> RoutesMade:
        """See ``sources.following.Make``. Raises CannotMake."""
        async with self._one_at_a_time:
            made = await self._made(read, outposts)
            is_first, self._kept = self._kept == Kept(), made.kept
            self._proxied = bool(outposts.providers)
            if not is_first:
                self.expect(CHANGING)
            elif not self._proxied and time.monotonic() > self._expected_until:
                await self._end()
            return made

    async def _made(self, read: bool, outposts: OutpostConfiguration) -> RoutesMade:
        question = MakeRoutes(
            config_file=self._plan.config_file,
            configuration=self._plan.routes.configuration,
            identity_socket=str(self._folder.identity_socket),
            authority=str(self._folder.authority),
            own_names=OWN_NAMES,
            read=read,
            outposts=outposts,
            kept=self._kept,
        )
        try:
            async with asyncio.timeout(self._patience):
                return await self._asked(question)
        except TimeoutError as error:
            await self._end(grace=0)
            raise CannotMake(f"reading the configuration took longer than {self._patience:g} seconds") from error
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            status = await self._end()
            raise CannotMake(f"the process that reads the configuration ended ({status})") from error
        except BaseException:
            await self._end(grace=0)
            raise

    @property
    def running(self) -> bool:
        return self._process is not None

    async def close(self) -> None:
        """Let the process go, if there is one."""
        if self._expecting is not None:
            self._expecting.cancel()
        await self._end()

    async def _started(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            # Started, not forked: this process may have threads, and the other one shares nothing with it.
            # Looking for plugins of pydantic, of which there are none, would take a tenth of the start.
            environment = {**os.environ, "PYDANTIC_DISABLE_PLUGINS": "__all__"}
            self._process = await asyncio.create_subprocess_exec(
                *self._program, stdin=PIPE, stdout=PIPE, env=environment
            )
        return self._process

    async def _asked(self, question: MakeRoutes) -> RoutesMade:
        process = await self._started()
        writer, reader = process.stdin, process.stdout
        assert writer is not None
        assert reader is not None
        body = msgspec.msgpack.encode(question)
        writer.write(len(body).to_bytes(4, "big") + body)
        await writer.drain()
        length = int.from_bytes(await reader.readexactly(4), "big")
        if length > LARGEST:
            raise EOFError
        return msgspec.msgpack.decode(await reader.readexactly(length), type=RoutesMade)

    async def _end(self, grace: float = GRACE) -> str:
        """Let it go, at the latest after ``grace`` seconds; how it ended."""
        process, self._process = self._process, None
        if process is None:
            return "it could not be started"
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(grace):
                status = await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            status = await process.wait()
        return f"signal {-status}" if status < 0 else f"exit status {status}"
