"""Follows the identity provider's change log, so that the data plane hears of a change within a fraction of a
second.

SQLite tells other connections' commits by a number (``PRAGMA data_version``, microseconds to ask), so it is asked
twenty times a second and the identity child only when it moved. With another database the child is asked twice a
second. Nothing depends on having been there: the reader catches up from its last position.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec

from doorward.messages.control import SessionsEnded
from doorward.messages.http import HttpQuestion
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.sessions import FetchState, IdentityState
from doorward.net.client import Client, Origin, TooLarge, Unreachable

LOOK = 0.05
"""Seconds between two looks at SQLite's number."""
ASK = 0.5
"""Seconds between two questions where there is no such number, and between two attempts to reach the child."""
LARGEST = 64 << 20


class DataVersion:
    """SQLite's commit number as seen by a connection of our own, which must never write."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = None

    def read(self) -> int | None:
        """A number that differs after every commit of somebody else; None while there is no database."""
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, isolation_level=None)
            row = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            self._connection = None
            return None
        return int(row[0])


class IdentityFollower:
    def __init__(
        self,
        rpc_socket: Path,
        database: Path | None,
        changed: Callable[[OutpostConfiguration | None, IdentityState], None],
        readiness: Callable[[bool], None],
    ) -> None:
        self._origin = Origin(scheme="unix", host="", port=0, path=str(rpc_socket), tls=None)
        self._version = DataVersion(database) if database is not None else None
        self._changed = changed
        self._readiness = readiness
        self._client = Client()
        self._position = -1
        self._seen: int | None = None
        self._asking = asyncio.Lock()

    async def run(self) -> None:
        """For ever."""
        while True:
            version = self._version.read() if self._version is not None else None
            if self._position >= 0 and version is not None and version == self._seen:
                await asyncio.sleep(LOOK)
                continue
            reached = await self.look()
            self._readiness(reached)
            if reached:
                self._seen = version
            await asyncio.sleep(LOOK if reached and self._version is not None else ASK if reached else LOOK * 4)

    async def ended_since(self, position: int) -> SessionsEnded:
        """Which sessions ended after ``position``. Asks until the identity child answers."""
        while True:
            state = await self._state(position)
            if state is not None:
                return SessionsEnded(state.ended_sessions, state.all_ended, state.position)
            await asyncio.sleep(ASK)

    async def look(self) -> bool:
        """Fetch what changed since our position, now. False when the identity child does not answer."""
        async with self._asking:
            state = await self._state(self._position)
            if state is None:
                return False
            configuration = (
                msgspec.msgpack.decode(state.configuration, type=OutpostConfiguration) if state.configuration else None
            )
            self._changed(configuration, state)
            self._position = state.position
            return True

    async def _state(self, since: int) -> IdentityState | None:
        body = msgspec.msgpack.encode(FetchState(since=since))
        question = HttpQuestion(b"POST", b"/rpc/state", ((b"Host", b"identity"),), body)
        try:
            answer = await self._client.fetch(question, self._origin, timeout=5.0, max_body=LARGEST)
        except (Unreachable, TooLarge):
            return None
        return msgspec.msgpack.decode(answer.body, type=IdentityState) if answer.status == 200 else None
