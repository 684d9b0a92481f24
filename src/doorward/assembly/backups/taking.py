"""Take a backup: a copy of the state folder as it is at one moment, while the program runs or while it does not.

Everything is copied into a private place in the state folder first, where secrets are anyway, and nothing of it
reaches another disk in the clear that was to be encrypted. The database is copied last and by SQLite itself: what the
other files say about it (checkpoints of the events) is never newer than it.
"""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from doorward import __version__
from doorward.assembly.backups import archive
from doorward.assembly.backups.sealing import SealedWriter
from doorward.assembly.state_folder import StateFolder
from doorward.messages.plan import Plan

LEFT_OUT = ("run", "lock", "prepare.lock", "mail")
"""What a running program makes for itself, and letters that were only written to files."""
_WORKPLACE = ".backup-"
_PAGES = 1024
"""Of the database, between two words about the progress."""


class CannotBackUp(Exception):
    """No backup was written; the text says why."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was written."""

    size: int
    """Bytes."""
    has_database: bool
    """False where it is PostgreSQL's."""
    links: tuple[str, ...]
    """Symbolic links in the state folder, which are not followed."""


def take(plan: Plan, folder: StateFolder, target: Path, passphrase: str, progress: archive.Progress) -> Taken:
    """Write a backup to ``target``, encrypted if there is a passphrase. Raises CannotBackUp."""
    if not folder.secret_key.exists():
        raise CannotBackUp(f"{folder.path} is no state folder: there is no secret.key in it")
    if target.exists():
        raise CannotBackUp(f"{target} exists already; choose another name, so that no older backup is lost")
    on_sqlite = not plan.identity.database
    try:
        with _workplace(folder.path) as place:
            created = datetime.now(UTC)
            files, links = _copy_files(folder.path, place)
            if on_sqlite:
                _copy_database(folder.database, place / folder.database.name, progress)
                files.append(folder.database.name)
            manifest = archive.Manifest(
                archive.FORMAT,
                __version__,
                created,
                plan.identity.external_url,
                "sqlite" if on_sqlite else "postgresql",
                tuple(archive.entry_of(place, path) for path in sorted(files)),
            )
            size = _write(target, manifest, place, passphrase, progress)
    except (OSError, sqlite3.Error) as error:
        raise CannotBackUp(f"the backup cannot be written: {error}") from error
    return Taken(size, on_sqlite, tuple(links))


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    """A private folder; what a killed backup has left behind goes first."""
    descriptor = os.open(folder / ".backup.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for left in folder.glob(_WORKPLACE + "*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_WORKPLACE, dir=folder) as place:
            yield Path(place)
    finally:
        os.close(descriptor)


def _copy_files(folder: Path, place: Path) -> tuple[list[str], list[str]]:
    """Copy all but the database; says which files, and which links were left out."""
    files: list[str] = []
    links: list[str] = []
    for above, folders, names in os.walk(folder):
        here = Path(above).relative_to(folder)
        if here == Path():
            folders[:] = [name for name in folders if name not in LEFT_OUT and not name.startswith((".", "former-"))]
            names = [name for name in names if name not in LEFT_OUT and not name.startswith((".", "doorward.sqlite3"))]
        links += [str(here / name) for name in folders if (Path(above) / name).is_symlink()]
        for name in names:
            path = Path(above) / name
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                links.append(str(here / name))
            elif stat.S_ISREG(mode) and not name.endswith(".part"):
                (place / here).mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copyfile(path, place / here / name, follow_symlinks=False)
                files.append((here / name).as_posix())
    return files, links


def _copy_database(database: Path, copy: Path, progress: archive.Progress) -> None:
    """As it is now, whoever writes meanwhile. Raises sqlite3.Error for a copy that is not whole."""
    os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    source, target = sqlite3.connect(f"file:{database}?mode=rw", uri=True, isolation_level=None), sqlite3.connect(copy)
    try:
        # A reader's view of one moment, to which the copy keeps however long it takes: writers go on beside it.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=_PAGES, progress=lambda status, left, of: progress(of - left, of), sleep=0)
        source.execute("ROLLBACK")
        target.execute("PRAGMA journal_mode=DELETE")
        found = target.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"the database is damaged: {found}")
    finally:
        target.close()
        source.close()


def _write(target: Path, manifest: archive.Manifest, place: Path, passphrase: str, progress: archive.Progress) -> int:
    """Under another name until it is whole and on the disk."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if passphrase:
                sealed = SealedWriter(file, passphrase)
                buffered = io.BufferedWriter(sealed)
                archive.write(buffered, manifest, place, progress)
                buffered.flush()
                sealed.finish()
            else:
                archive.write(file, manifest, place, progress)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return size
