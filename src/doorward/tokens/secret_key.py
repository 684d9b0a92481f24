"""The installation's secret key: one file, made on first start, readable by its owner alone (S-801).

    9f86d081…                     the key: what is written from now on is sealed with it
    old 60303ae2…                 while keys are exchanged: what it sealed can still be read (S-804)
    installation-id 4b22…         the rest has to outlast the key it was derived from, and is written down
    recovery-codes a3d1…          when that one goes: none of these opens anything that the key sealed
    events-chain:1042 0fe5…

A file with one line, as the first start makes it, is the usual case.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SHORTEST = 32
"""Bytes."""
OLD = "old"
INSTALLATION_ID = "installation-id"
_LABEL = re.compile(r"[a-z-]+(:[0-9]{1,18})?", re.ASCII)


class SecretKeyUnusable(Exception):
    """The file is too short, or others can read it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A derived key that outlives the secret key it came from."""

    purpose: str
    until: int
    """What it is for ends there, where that is counted; 0 where it is not."""
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """What the file holds."""

    current: bytes = field(repr=False)
    old: tuple[bytes, ...] = field(default=(), repr=False)
    """Newest first; empty unless keys are being exchanged."""
    kept: tuple[Kept, ...] = ()
    """In the order in which they were retired."""

    @property
    def all(self) -> tuple[bytes, ...]:
        return (self.current, *self.old)

    def kept_for(self, purpose: str) -> tuple[Kept, ...]:
        """Oldest first."""
        return tuple(each for each in self.kept if each.purpose == purpose)


def read_secret_key(file: Path) -> bytes:
    """The key in ``file``, created if missing. Raises SecretKeyUnusable, OSError."""
    return read_secret_keys(file).current


def read_secret_keys(file: Path, database: Path | None = None) -> SecretKeys:
    """All that ``file`` holds; it is created, with one new key, if missing. Raises SecretKeyUnusable, OSError.

    ``database``: where that is there already, a missing key is lost, and a new one would open nothing in it.
    """
    if database is not None and database.exists() and database.stat().st_size and not file.exists():
        raise SecretKeyUnusable(f"{file} is missing, and {database.name} needs it: put it back from a backup")
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w") as new:
            new.write(secrets.token_hex(SHORTEST) + "\n")
            new.flush()
            os.fsync(new.fileno())
    if file.stat().st_mode & 0o077:
        raise SecretKeyUnusable(f"{file} can be read by others; run: chmod 600 {file}")
    return _parsed(file, file.read_text().splitlines())


def write_secret_keys(file: Path, keys: SecretKeys) -> None:
    """Replace ``file`` in one step: after a crash it is whole, the former or the new one. Raises OSError."""
    lines = [keys.current.hex(), *(f"{OLD} {key.hex()}" for key in keys.old), *map(_line, keys.kept)]
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as new:
        new.write("".join(line + "\n" for line in lines))
        new.flush()
        os.fsync(new.fileno())
    standing = file.stat()
    if os.geteuid() == 0 and standing.st_uid != 0:
        os.chown(part, standing.st_uid, standing.st_gid)
    part.rename(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _line(kept: Kept) -> str:
    return f"{kept.purpose}{f':{kept.until}' if kept.until else ''} {kept.key.hex()}"


def _parsed(file: Path, lines: Iterable[str]) -> SecretKeys:
    current: bytes | None = None
    old: list[bytes] = []
    kept: list[Kept] = []
    for line in filter(None, map(str.strip, lines)):
        label, _, text = line.rpartition(" ")
        key = _key(file, text)
        if current is None and not label:
            current = key
        elif label == OLD:
            old.append(key)
        elif current is not None and _LABEL.fullmatch(label):
            purpose, _, until = label.partition(":")
            kept.append(Kept(purpose, int(until or 0), key))
        else:
            raise SecretKeyUnusable(f"{file}: the key stands in the first line, and after it only what is named")
    if current is None:
        raise SecretKeyUnusable(f"{file} holds 0 bytes; at least {SHORTEST} are needed")
    if old and not any(each.purpose == INSTALLATION_ID for each in kept):
        raise SecretKeyUnusable(f"{file}: keys are exchanged with doorward rotate-secret-key, not by hand")
    return SecretKeys(current, tuple(old), tuple(kept))


def _key(file: Path, text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise SecretKeyUnusable(f"{file} is not hexadecimal text") from error
    if len(key) < SHORTEST:
        raise SecretKeyUnusable(f"{file} holds {len(key)} bytes; at least {SHORTEST} are needed")
    return key
