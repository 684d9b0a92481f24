"""The triggers that change the mark. They are the database's own, so no way of writing gets past them."""

from __future__ import annotations

import secrets

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from doorward.identity.remembered.models import Mark
from doorward.identity.remembered.watched import tables

_OPERATIONS = ("INSERT", "UPDATE", "DELETE")

# An INSERT that replaces would do nothing below an outer "INSERT OR IGNORE": a trigger inherits that from its
# statement. An UPDATE has no conflict to ignore.
_SQLITE = """CREATE TRIGGER "{name}" AFTER {operation} ON "{table}"
BEGIN UPDATE remembered_mark SET stamp = random() WHERE id = 1; END"""

_FUNCTION = """CREATE OR REPLACE FUNCTION remembered_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO remembered_mark (id, stamp) VALUES (txid_current(), (random() * 4503599627370496)::bigint)
    ON CONFLICT (id) DO UPDATE SET stamp = EXCLUDED.stamp;
  RETURN NULL;
END $$"""
_POSTGRESQL = """CREATE TRIGGER remembered AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "{table}"
FOR EACH STATEMENT EXECUTE FUNCTION remembered_written()"""


def ensure() -> None:
    """Make the triggers that are missing. While one was missing something may have been written: then the mark changes,
    and what anybody remembers counts for nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        if Mark._meta.db_table not in present:
            return
        watched = sorted(tables() & present)
        made = _on_postgresql(cursor, watched) if connection.vendor == "postgresql" else _on_sqlite(cursor, watched)
        if made or not Mark.objects.exists():
            stamp = secrets.randbits(52)
            Mark.objects.update_or_create(id=1, defaults={"stamp": stamp})


def _on_sqlite(cursor: CursorWrapper, watched: list[str]) -> bool:
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    there = {name for (name,) in cursor.fetchall()}
    wanted = {f"remembered_{table}_{each.lower()}": (table, each) for table in watched for each in _OPERATIONS}
    missing = [name for name in wanted if name not in there]
    for name in missing:
        table, operation = wanted[name]
        cursor.execute(_SQLITE.format(name=name, operation=operation, table=table))
    return bool(missing)


def _on_postgresql(cursor: CursorWrapper, watched: list[str]) -> bool:
    cursor.execute(
        "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE tgname = 'remembered' AND tgenabled = 'O' AND pg_table_is_visible(tgrelid)"
    )
    there = {name for (name,) in cursor.fetchall()}
    missing = [table for table in watched if table not in there]
    if missing:
        cursor.execute(_FUNCTION)
    for table in missing:
        cursor.execute(f'DROP TRIGGER IF EXISTS remembered ON "{table}"')
        cursor.execute(_POSTGRESQL.format(table=table))
    return bool(missing)
