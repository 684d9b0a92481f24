"""Exchange the installation's secret key (S-804): ``secret.key`` gets a new one, and everything is sealed with that.

    begin    seal the events that wait; write the file: new key, former key, and what outlasts the former one
    renew    go through every sealed column, a transaction for every hundred rows; what is renewed already is left
    finish   look once more that nothing needs the former key, say so in an event, and write the file without it

A crash between any two steps leaves a program that works: both keys are read, only the new one is written with. The
same command goes on from there. Secrets are in the clear in memory alone. The program must not run meanwhile: it would
go on sealing with the key it has read.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.conf import settings
from django.db import connection, models, transaction

from doorward.identity.authenticators import recovery_codes
from doorward.identity.crypto import vault
from doorward.identity.crypto.sealed_columns import SealedColumn, sealed_columns
from doorward.identity.events import actions as events
from doorward.identity.events import chain, proofs, sealing
from doorward.identity.events.actor import Actor
from doorward.tokens.secret_key import INSTALLATION_ID, SHORTEST, Kept, SecretKeys, write_secret_keys

AT_ONCE = 100
PATIENCE = 3.0
"""Seconds in which a server lets go of connections that were closed."""
ACTION = "secret_key_rotated"

Progress = Callable[[int, int], None]
"""Told how many rows were gone through, of how many."""


class CannotRotate(Exception):
    """The key cannot be exchanged now; the text says why. Nothing is lost."""


@dataclass(slots=True)
class Renewed:
    """What was done."""

    rows: int = 0
    """Sealed with the new key by this very run."""
    unreadable: list[str] = field(default_factory=list)
    """Values that neither key opens: they were unreadable before."""


def begin(file: Path) -> None:
    """Write a new key into ``file``, with all that has to outlast the former one. Raises CannotRotate, OSError."""
    require_nobody_else()
    sealing.seal()
    keys = settings.INSTALLATION_KEYS
    until = chain.head(chain.beginning())[0]
    kept = [*keys.kept]
    if not keys.kept_for(INSTALLATION_ID):
        kept.append(Kept(INSTALLATION_ID, 0, bytes.fromhex(settings.INSTALLATION_ID)))
    kept.append(Kept(recovery_codes.PURPOSE, 0, vault.derived_key(recovery_codes.PURPOSE)))
    kept.append(Kept(proofs.PURPOSE, until, vault.derived_key(proofs.PURPOSE)))
    write_secret_keys(file, SecretKeys(secrets.token_bytes(SHORTEST), (keys.current,), tuple(kept)))


def require_nobody_else() -> None:
    """Raises CannotRotate while other programs use the database. SQLite's is guarded by the state folder's lock."""
    if connection.vendor != "postgresql":
        return
    patient_until = time.monotonic() + PATIENCE  # connections of what has just been stopped
    while others := _others():
        if time.monotonic() > patient_until:
            raise CannotRotate(f"{others} other connections use the database: stop the program on all machines first")
        time.sleep(0.2)


def _others() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def renew(progress: Progress = lambda done, of: None) -> Renewed:
    """Seal everything with the key of now. To be called with the new file read. Raises django.db.Error."""
    chain.renew_proof()
    done = Renewed()
    # The word by which a key is known again comes last: until then a file without the former key is refused.
    columns = sorted(sealed_columns(), key=lambda column: column.field == "key_check")
    total = sum(column.model._default_manager.count() for column in columns)
    passed = 0
    for column in columns:
        for batch in _batches(column.model):
            with transaction.atomic():
                for row in batch:
                    _renew(column, row, done)
                    passed += 1
                    progress(passed, max(total, passed))
    return done


def finish(file: Path, done: Renewed) -> None:
    """Forget the former key. Raises CannotRotate, django.db.Error, OSError; then the next run goes on."""
    again = renew()
    if again.rows:
        raise CannotRotate("something wrote with the former key meanwhile: stop the program and run the command again")
    events.record(ACTION, "authentik.crypto", Actor.system(), rows=done.rows, unreadable=len(done.unreadable))
    sealing.seal()
    if connection.vendor == "sqlite":
        # What was overwritten still stands in free pages and in the log, where the former key would open it.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    write_secret_keys(file, replace(settings.INSTALLATION_KEYS, old=()))


def _batches(model: type[models.Model]) -> Iterator[list[models.Model]]:
    rows = model._default_manager.order_by("pk")
    batch = list(rows[:AT_ONCE])
    while batch:
        yield batch
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:AT_ONCE])


def _renew(column: SealedColumn, row: models.Model, done: Renewed) -> None:
    try:
        fresh = column.renewed(row)
    except vault.Unreadable:
        done.unreadable.append(f"{column.name} of {row.pk}")
        return
    if fresh is not None:
        former = {column.field: getattr(row, column.field)}
        done.rows += column.model._default_manager.filter(pk=row.pk, **former).update(**{column.field: fresh})
