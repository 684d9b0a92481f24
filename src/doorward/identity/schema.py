"""The database's schema: made, brought up to date, and refused when it is newer than the program (S-809)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from doorward.identity.bootstrap import CannotPrepare
from doorward.identity.remembered import triggers

_POSTGRESQL_LOCK = 0x446F6F73


def state_folder() -> Path:
    """Where ``secret.key`` and the SQLite file lie."""
    folder = settings.DATA
    assert isinstance(folder, Path)
    return folder


def bring_up_to_date(say: Callable[[str], None]) -> None:
    """Apply what is missing, each step in a transaction of its own. Raises CannotPrepare, django.db.Error."""
    _make_private()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # other machines; the file lock is for this one
            cursor.execute("SELECT pg_advisory_lock(%s)", [_POSTGRESQL_LOCK])
    executor = MigrationExecutor(connection)
    _refuse_newer(executor.loader)
    if _is_empty():
        say("Preparing the database")
        _make_at_once(executor)
        return
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        say(f"Preparing the database ({len(plan)} steps)")
        call_command("migrate", interactive=False, verbosity=0)
    triggers.ensure()  # another version may watch other tables, without any step of its own


def _is_empty() -> bool:
    return not connection.introspection.table_names()


def _make_at_once(executor: MigrationExecutor) -> None:
    """The tables as all migrations together would have made them, in one transaction and a fiftieth of the time.

    Every migration is noted as applied, so that the next version's begin where these end. That both ways lead to the
    same tables is tested; that migrations write no rows which a fresh installation needs, too.
    """
    with connection.schema_editor() as editor:
        for model in executor.loader.project_state().apps.get_models():
            if model._meta.can_migrate(connection):
                editor.create_model(model)
        recorder = executor.recorder
        recorder.ensure_schema()
        for app, name in executor.loader.graph.nodes:
            recorder.record_applied(app, name)
    emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)


def _make_private() -> None:
    """The file is there before SQLite makes it, readable by its owner alone (S-807); so are its side files then."""
    if connection.vendor == "sqlite":
        file = state_folder() / "doorward.sqlite3"
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)


def _refuse_newer(loader: MigrationLoader) -> None:
    known_apps = {app for app, _ in loader.disk_migrations}
    unknown = sorted(
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in known_apps and (app, name) not in loader.disk_migrations and (app, name) not in loader.replacements
    )
    if unknown:
        raise CannotPrepare(
            f"The database was written by a newer Doorward ({', '.join(unknown[:3])}): "
            f"use that version, or a copy of the state folder from before. This is {settings.VERSION}."
        )


@contextmanager
def answering() -> Iterator[None]:
    """Say in words when the database cannot be used. Raises CannotPrepare."""
    try:
        yield
    except Error as error:
        raise CannotPrepare(f"The database cannot be used: {error}") from error
