"""Put a backup back: checked first, made ready in a place of its own, and only then moved into its place.

    .restore-…/    every file, checked against the manifest; the schema brought up to date; the epoch begun: all
                   sessions, codes and tokens ended (``identity.epoch``). Nothing else was touched until here
    former-…/      what lay in the folder goes here, if the operator said so
    ./             the restored files move up

Only the last step can be interrupted half-way, and then the program refuses to start (``UNFINISHED``) until the
restore was repeated. A PostgreSQL database is not in the file: its epoch begins at the next start, or on command.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import IO

import msgspec

from doorward import __version__
from doorward.assembly import state_folder
from doorward.assembly.backups import archive
from doorward.assembly.backups.archive import BadArchive, Manifest
from doorward.assembly.backups.sealing import MAGIC, CannotOpen, SealedReader
from doorward.assembly.identity_process import set_identity_environment
from doorward.assembly.state_folder import UNFINISHED, StateFolder
from doorward.messages.plan import IdentityPlan, Plan
from doorward.messages.restored import Ended, Pending

_OWN = ("lock", "prepare.lock", "run")
"""What is no state, and stays where it is."""


class CannotRestore(Exception):
    """Nothing was restored; the text says why."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done."""

    manifest: Manifest
    former: Path | None
    """Where what lay there before is now."""
    ended: Ended | None
    """None where the database is to come, and its epoch with it."""


def restore(
    file: Path,
    target: Path,
    plan: Plan | None,
    *,
    passphrase: Callable[[], str],
    replace: bool,
    keep_tokens: bool,
    progress: archive.Progress,
) -> Restored:
    """Put the backup in ``file`` into the state folder ``target``. ``passphrase`` is asked where one is needed.

    Raises CannotRestore.
    """
    try:
        with file.open("rb") as source, _in_the_clear(source, passphrase) as clear, archive.opened(clear) as tar:
            manifest = archive.read_manifest(tar)
            _require_fitting(manifest, plan)
            with _held(target), _stage(target, replace=replace) as stage:
                archive.extract(tar, manifest, stage, progress)
                ended = _made_ready(manifest, stage, plan, keep_tokens)
                former = _move_in(stage, target)
    except (BadArchive, CannotOpen) as error:
        raise CannotRestore(f"{file} cannot be used: {error}") from error
    except (OSError, state_folder.StateFolderUnusable) as error:
        raise CannotRestore(str(error)) from error
    return Restored(manifest, former, ended)


def after_database(plan: Plan, folder: StateFolder, *, keep_tokens: bool) -> Ended:
    """Begin the epoch of a database that was put back by other means. Raises CannotRestore."""
    if not folder.secret_key.exists():
        raise CannotRestore(f"{folder.path} is no state folder: there is no secret.key in it")
    try:
        with _held(folder.path):
            return _in_a_child(plan.identity, folder, None, keep_tokens)
    except state_folder.StateFolderUnusable as error:
        raise CannotRestore(str(error)) from error


@contextmanager
def _in_the_clear(source: IO[bytes], passphrase: Callable[[], str]) -> Iterator[IO[bytes]]:
    encrypted = source.read(len(MAGIC)) == MAGIC
    source.seek(0)
    if not encrypted:
        yield source
        return
    yield io.BufferedReader(SealedReader(source, passphrase()))


def _require_fitting(manifest: Manifest, plan: Plan | None) -> None:
    if _numbers(manifest.version) > _numbers(__version__):
        raise BadArchive(f"it was made by version {manifest.version}; this is {__version__}: restore it with that one")
    wanted = "postgresql" if plan is not None and plan.identity.database else "sqlite"
    if plan is not None and manifest.database != wanted:
        raise BadArchive(f"its database is {manifest.database}, the configuration names {wanted}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("+")[0].split(".") if part.isdecimal())


@contextmanager
def _held(target: Path) -> Iterator[None]:
    """Nobody else works on the folder meanwhile; one that was made for this goes again if nothing came of it."""
    made = not target.exists()
    state_folder.make(target)
    lock = state_folder.locked(target)
    try:
        yield
    except BaseException:
        if made:
            shutil.rmtree(target, ignore_errors=True)
        raise
    finally:
        os.close(lock)


@contextmanager
def _stage(target: Path, *, replace: bool) -> Iterator[Path]:
    if not replace and (there := _state_in(target)):
        raise CannotRestore(
            f"{target} is not empty ({', '.join(sorted(path.name for path in there)[:3])}, …). With --replace, what is"
            " there is put aside in it"
        )
    for left in target.glob(".restore-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=target) as stage:
        yield Path(stage)


def _state_in(target: Path) -> list[Path]:
    return [path for path in target.iterdir() if path.name not in _OWN and not path.name.startswith((".", "former-"))]


def _made_ready(manifest: Manifest, stage: Path, plan: Plan | None, keep_tokens: bool) -> Ended | None:
    from doorward.identity.bootstrap import RESTORE_PENDING

    if not (stage / "secret.key").exists():
        raise BadArchive("there is no secret.key in it")
    if manifest.database == "sqlite":
        if not (stage / "doorward.sqlite3").exists():
            raise BadArchive("there is no database in it")
        identity = plan.identity if plan is not None else IdentityPlan(manifest.external_url)
        return _in_a_child(identity, StateFolder(stage, stage / "run"), manifest.created, keep_tokens)
    pending = Pending(manifest.created, keep_tokens)
    with os.fdopen(os.open(stage / RESTORE_PENDING, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(pending))
    return None


def _in_a_child(identity: IdentityPlan, folder: StateFolder, since: datetime | None, keep_tokens: bool) -> Ended:
    """Nothing of the database stays open when the folder moves."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(_begin_epoch, identity, folder, since, keep_tokens).result()


def _begin_epoch(identity: IdentityPlan, folder: StateFolder, since: datetime | None, keep_tokens: bool) -> Ended:
    import logging

    from doorward.identity import bootstrap
    from doorward.tokens.secret_key import SecretKeyUnusable

    set_identity_environment(identity, folder)
    try:
        bootstrap.set_up_django()
        logging.getLogger("doorward.events").setLevel(logging.WARNING)
        from django.db import connection

        from doorward.identity import epoch, first_start, schema

        try:
            with schema.answering():
                schema.bring_up_to_date(lambda text: None)
                first_start.require_own_key()
                return epoch.begin(since, keep_tokens=keep_tokens)
        finally:
            connection.close()
    except (bootstrap.CannotPrepare, SecretKeyUnusable) as error:
        raise CannotRestore(str(error)) from error


def _move_in(stage: Path, target: Path) -> Path | None:
    unfinished = target / UNFINISHED
    there = [path for path in _state_in(target) if path != unfinished]
    former = target / f"former-{datetime.now(UTC):%Y%m%d-%H%M%S}" if there else None
    if former is not None:
        former.mkdir(0o700)
    _give_to_owner(stage, target)
    unfinished.touch(0o600)
    for path in there:
        assert former is not None
        path.rename(former / path.name)
    for path in stage.iterdir():
        path.rename(target / path.name)
    unfinished.unlink()
    folder = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return former


def _give_to_owner(stage: Path, target: Path) -> None:
    """Whoever restores as root restores for the user whose folder it is."""
    owner = target.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        for path in stage.rglob("*"):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
