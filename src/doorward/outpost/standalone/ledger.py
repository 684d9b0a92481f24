"""What an outpost on its own must remember: login states that were used, logins that have ended, URLs that are too
long to travel, who renews which session, when sessions were used, and, where sessions are kept on the server, the
sessions themselves.

One SQLite database, in memory or in a file. Everything in it has an end, after which it is swept away, and every
table has a limit: whoever fills one pushes out the oldest entries of his own kind. Endings are the exception that must
not be forgotten early: those that are too many are summed up, and everything as old as the newest of them is over.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doorward.messages.sessions import Seen
from doorward.outpost.ports import StoreUnavailable

MAX_ENTRIES = 100_000
"""Used states and endings that are kept when it is swept."""
_ALL = ("all", "")
"""Kind and value of an ending that is about every session of a provider."""
MAX_URLS = 1000
URL_LIFE = 900.0
"""Seconds."""
ISSUER_LIFE = 7 * 86400.0
"""Seconds for which an issuer's keys are believed without having been seen again."""
SWEEP = 60.0
"""Seconds between two looks for what has expired."""


class Ledger:
    """``now`` in Unix seconds everywhere. Everything raises StoreUnavailable when the file cannot be used."""

    def __init__(self, file: Path | None = None) -> None:
        """In memory without ``file``. The file is made for its owner alone. Raises sqlite3.Error."""
        if file is not None:
            file.touch(mode=0o600)
        self._database = sqlite3.connect(":memory:" if file is None else str(file), isolation_level=None, timeout=5.0)
        self._database.execute("pragma journal_mode = wal")
        # A power failure may lose the last moment: a login then has to be made again, a logout too.
        self._database.execute("pragma synchronous = normal")
        self._database.executescript(
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
            create table if not exists seen (
                id blob primary key, at real not null, expires real not null) without rowid;
            create table if not exists issuer (
                url text primary key, document blob not null, keys blob not null, expires real not null) without rowid;
            create index if not exists session_subject on session (provider, subject);
            create index if not exists session_sid on session (provider, sid);
            create index if not exists session_expires on session (expires);
            """
        )
        self._swept = 0.0

    def close(self) -> None:
        self._database.close()

    def rows(self, statement: str, values: Iterable[object] = ()) -> list[Any]:
        """What ``statement`` finds or returns."""
        try:
            return self._database.execute(statement, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the session file cannot be used: {error}") from error

    def change(self, statement: str, values: Iterable[object] = ()) -> int:
        """How many rows ``statement`` has changed."""
        try:
            return self._database.execute(statement, tuple(values)).rowcount
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the session file cannot be used: {error}") from error

    # --- once

    def use_state(self, state_id: str, expires: float, now: float) -> bool:
        """Whether nobody has used it before."""
        self._sweep(now)
        return self.change("insert or ignore into used_state values (?, ?)", (state_id, expires)) == 1

    def is_used(self, state_id: str) -> bool:
        """Whether somebody has used it."""
        return bool(self.rows("select 1 from used_state where id = ?", (state_id,)))

    def claim(self, name: str, until: float, now: float) -> bool:
        """Whether nobody else has ``name`` now."""
        self.change("delete from claim where name = ? and expires <= ?", (name, now))
        return self.change("insert or ignore into claim values (?, ?)", (name, until)) == 1

    def keep_url(self, key: str, url: str, now: float) -> None:
        """For a quarter of an hour."""
        self._sweep(now)
        self.change("insert or replace into kept_url values (?, ?, ?)", (key, url, now + URL_LIFE))
        self.change(
            "delete from kept_url where key in (select key from kept_url order by expires desc limit -1 offset ?)",
            (MAX_URLS,),
        )

    def take_url(self, key: str, now: float) -> str | None:
        found = self.rows("delete from kept_url where key = ? returning url, expires", (key,))
        return str(found[0][0]) if found and found[0][1] > now else None

    # --- issuers

    def keep_issuer(self, url: str, document: bytes, keys: bytes, now: float) -> None:
        """What the issuer published, for a start at which it is away."""
        self._sweep(now)
        self.change("insert or replace into issuer values (?, ?, ?, ?)", (url, document, keys, now + ISSUER_LIFE))

    def kept_issuer(self, url: str, now: float) -> tuple[bytes, bytes] | None:
        """Its document and its keys, if they are not too old to be believed."""
        found = self.rows("select document, keys from issuer where url = ? and expires > ?", (url, now))
        return (found[0][0], found[0][1]) if found else None

    # --- used

    def keep_seen(self, seen: Iterable[Seen], keep: float, now: float) -> None:
        """When these sessions were last used; known for ``keep`` seconds after that."""
        self._sweep(now)
        try:
            with self._database:  # one transaction: each alone would wait for the disk
                self._database.execute("begin")
                self._database.executemany(
                    "insert into seen values (?, ?, ?) on conflict do update set at = max(at, excluded.at), "
                    "expires = max(expires, excluded.expires)",
                    [(each.id_hash, each.at, each.at + keep) for each in seen],
                )
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the session file cannot be used: {error}") from error

    def seen(self, id_hash: bytes) -> float:
        """When this session was last used, as far as it was written down; 0 when it was not."""
        found = self.rows("select at from seen where id = ?", (id_hash,))
        return float(found[0][0]) if found else 0.0

    # --- over

    def end(self, provider: int, kind: str, value: str, now: float, expires: float) -> None:
        """Sessions that were made before ``now`` and have this ``kind`` of ``value`` (id, sid or sub) are over."""
        self._sweep(now)
        self.change("insert or replace into ending values (?, ?, ?, ?, ?)", (provider, kind, value, now, expires))

    def has_ended(self, provider: int, created: float, ids: Iterable[tuple[str, str]]) -> bool:
        """Whether a session that was made at ``created`` and has one of these (kind, value) is over."""
        for kind, value in (*ids, _ALL):
            if self.rows(
                "select 1 from ending where provider = ? and kind = ? and value = ? and at >= ?",
                (provider, kind, value, created),
            ):
                return True
        return False

    def is_over(self, provider: int, sid: str) -> bool:
        """Whether the login at the issuer that is called ``sid`` has ended: no session comes of it any more."""
        return bool(sid) and bool(
            self.rows("select 1 from ending where provider = ? and kind = 'sid' and value = ?", (provider, sid))
        )

    # --- plumbing

    def _sweep(self, now: float) -> None:
        """What has expired goes, and of what is too much the oldest."""
        if now - self._swept < SWEEP:
            return
        self._swept = now
        self.change("delete from used_state where expires <= ?", (now,))
        self.change("delete from kept_url where expires <= ?", (now,))
        self.change("delete from claim where expires <= ?", (now,))
        self.change("delete from ending where expires <= ?", (now,))
        self.change("delete from session where expires <= ?", (now,))
        self.change("delete from seen where expires <= ?", (now,))
        self.change("delete from issuer where expires <= ?", (now,))
        self.change(
            "delete from used_state where id in (select id from used_state order by expires desc limit -1 offset ?)",
            (MAX_ENTRIES,),
        )
        self._sum_up_endings()

    def _sum_up_endings(self) -> None:
        """The oldest endings that are too many become one for each provider: a session that was ended must not be
        good again because many others were ended after it."""
        surplus = self.rows(
            "delete from ending where (provider, kind, value) in (select provider, kind, value from ending "
            "where kind <> 'all' order by at desc limit -1 offset ?) returning provider, at, expires",
            (MAX_ENTRIES,),
        )
        for provider in {row[0] for row in surplus}:
            at, expires = (max(row[place] for row in surplus if row[0] == provider) for place in (1, 2))
            self.change(
                "insert into ending values (?, ?, ?, ?, ?) on conflict do update set "
                "at = max(at, excluded.at), expires = max(expires, excluded.expires)",
                (provider, *_ALL, at, expires),
            )
