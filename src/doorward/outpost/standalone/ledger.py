"""What an outpost on its own must remember: login states that were used, logins that have ended, URLs that are too
long to travel, who renews which session, and, where sessions are kept on the server, the sessions themselves.

One SQLite database, in memory or in a file. Everything in it has an end, after which it is swept away, and every
table has a limit: whoever fills one pushes out the oldest entries of his own kind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

MAX_ENTRIES = 100_000
"""Used states and endings that are kept when it is swept."""
MAX_URLS = 1000
URL_LIFE = 900.0
"""Seconds."""
SWEEP = 60.0
"""Seconds between two looks for what has expired."""


class Ledger:
    """``now`` in Unix seconds everywhere. Raises sqlite3.Error when the file cannot be used."""

    def __init__(self, file: Path | None = None) -> None:
        """In memory without ``file``. The file is made for its owner alone."""
        if file is not None:
            file.touch(mode=0o600)
        self.database = sqlite3.connect(":memory:" if file is None else str(file), isolation_level=None, timeout=5.0)
        self.database.execute("pragma journal_mode = wal")
        # A power failure may lose the last moment: a login then has to be made again, a logout too.
        self.database.execute("pragma synchronous = normal")
        self.database.executescript(
            """
            create table if not exists used_state (id text primary key, expires real not null) without rowid;
            create table if not exists kept_url (
                key text primary key, url text not null, expires real not null) without rowid;
            create table if not exists claim (name text primary key, expires real not null) without rowid;
            create table if not exists ending (
                provider integer not null, kind text not null, value text not null, at real not null,
                expires real not null, primary key (provider, kind, value)) without rowid;
            create table if not exists session (
                id blob primary key, provider integer not null, subject text not null, sid text not null,
                sealed blob not null, expires real not null) without rowid;
            create index if not exists session_subject on session (provider, subject);
            create index if not exists session_sid on session (provider, sid);
            create index if not exists session_expires on session (expires);
            """
        )
        self._swept = 0.0

    def close(self) -> None:
        self.database.close()

    # --- once

    def use_state(self, state_id: str, expires: float, now: float) -> bool:
        """Whether nobody has used it before."""
        self._sweep(now)
        done = self.database.execute("insert or ignore into used_state values (?, ?)", (state_id, expires))
        return done.rowcount == 1

    def claim(self, name: str, until: float, now: float) -> bool:
        """Whether nobody else has ``name`` now."""
        self.database.execute("delete from claim where name = ? and expires <= ?", (name, now))
        return self.database.execute("insert or ignore into claim values (?, ?)", (name, until)).rowcount == 1

    def keep_url(self, key: str, url: str, now: float) -> None:
        """For a quarter of an hour."""
        self._sweep(now)
        self.database.execute("insert or replace into kept_url values (?, ?, ?)", (key, url, now + URL_LIFE))
        self.database.execute(
            "delete from kept_url where key in (select key from kept_url order by expires desc limit -1 offset ?)",
            (MAX_URLS,),
        )

    def take_url(self, key: str, now: float) -> str | None:
        row = self.database.execute("delete from kept_url where key = ? returning url, expires", (key,)).fetchone()
        return str(row[0]) if row is not None and row[1] > now else None

    # --- over

    def end(self, provider: int, kind: str, value: str, now: float, expires: float) -> None:
        """Sessions that were made before ``now`` and have this ``kind`` of ``value`` (id, sid or sub) are over."""
        self._sweep(now)
        self.database.execute(
            "insert or replace into ending values (?, ?, ?, ?, ?)", (provider, kind, value, now, expires)
        )

    def has_ended(self, provider: int, created: float, ids: Iterable[tuple[str, str]]) -> bool:
        """Whether a session that was made at ``created`` and has one of these (kind, value) is over."""
        for kind, value in ids:
            row = self.database.execute(
                "select at from ending where provider = ? and kind = ? and value = ?", (provider, kind, value)
            ).fetchone()
            if row is not None and created <= row[0]:
                return True
        return False

    def is_over(self, provider: int, sid: str) -> bool:
        """Whether the login at the issuer that is called ``sid`` has ended: no session comes of it any more."""
        return bool(sid) and self.has_ended(provider, 0.0, [("sid", sid)])

    # --- plumbing

    def _sweep(self, now: float) -> None:
        """What has expired goes, and of what is too much the oldest."""
        if now - self._swept < SWEEP:
            return
        self._swept = now
        execute = self.database.execute
        execute("delete from used_state where expires <= ?", (now,))
        execute("delete from kept_url where expires <= ?", (now,))
        execute("delete from claim where expires <= ?", (now,))
        execute("delete from ending where expires <= ?", (now,))
        execute("delete from session where expires <= ?", (now,))
        execute(
            "delete from used_state where id in (select id from used_state order by expires desc limit -1 offset ?)",
            (MAX_ENTRIES,),
        )
        execute(
            "delete from ending where (provider, kind, value) in "
            "(select provider, kind, value from ending order by at desc limit -1 offset ?)",
            (MAX_ENTRIES,),
        )
