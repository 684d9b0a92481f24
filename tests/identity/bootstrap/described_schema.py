"""Run with ``migrate``, ``at-once`` or ``forward``: makes a database's tables that way and prints what they are.

``forward SNAPSHOT`` begins with the tables and rows of an earlier version, as ``snapshot`` wrote them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - after django.setup
from django.db import connection, transaction  # noqa: E402
from django.db.migrations.executor import MigrationExecutor  # noqa: E402

from doorward.identity import schema  # noqa: E402

OURS = "django_migrations"


def described() -> dict[str, Any]:
    """Every table's columns and constraints, without the names of constraints."""
    found = connection.introspection
    with connection.cursor() as cursor:
        tables = sorted(found.table_names(cursor))
        return {table: [_columns(cursor, table), _constraints(cursor, table)] for table in tables}


def _columns(cursor: Any, table: str) -> list[list[Any]]:
    rows = connection.introspection.get_table_description(cursor, table)
    return sorted([row.name, str(row.type_code), row.null_ok, row.internal_size] for row in rows)


def _constraints(cursor: Any, table: str) -> list[str]:
    found = connection.introspection.get_constraints(cursor, table).values()
    kinds = ("primary_key", "unique", "foreign_key", "check", "index", "orders", "type")
    return sorted(json.dumps([each["columns"], *(each.get(kind) for kind in kinds)]) for each in found)


def counted() -> dict[str, int]:
    """How many rows each table holds."""
    with connection.cursor() as cursor:
        counts = {}
        for table in connection.introspection.table_names(cursor):
            if table != OURS:
                cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
                counts[table] = cursor.fetchone()[0]
        return counts


def snapshot() -> dict[str, Any]:
    """What is needed to make this database again: which migrations it has seen, and all its rows."""
    with connection.cursor() as cursor:
        tables = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description]
            tables[table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    seen = [[row["app"], row["name"]] for row in tables.pop(OURS)]
    return {"migrations": seen, "tables": {table: rows for table, rows in tables.items() if rows}}


def fill(found: dict[str, Any]) -> None:
    """The tables as they were when ``found`` was written, with its rows."""
    executor = MigrationExecutor(connection)
    executor.migrate([(app, name) for app, name in found["migrations"]])
    with transaction.atomic(), connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for table, rows in found["tables"].items():
            for row in rows:
                names = ", ".join(map(connection.ops.quote_name, row))
                places = ", ".join(["%s"] * len(row))
                values = [_value(value) for value in row.values()]
                cursor.execute(f"INSERT INTO {connection.ops.quote_name(table)} ({names}) VALUES ({places})", values)
            if connection.vendor == "postgresql" and "id" in rows[0] and isinstance(rows[0]["id"], int):
                highest = max(row["id"] for row in rows)
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [f'"{table}"', highest])


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    # A text means in every column what the column takes it for, 0 as false included.
    return value if value is None or connection.vendor == "sqlite" else str(value)


def _written(value: Any) -> Any:
    return {"hex": bytes(value).hex()} if isinstance(value, (bytes, memoryview)) else str(value)


def main(how: str, *file: str) -> None:
    before: dict[str, int] = {}
    if how == "migrate":
        schema._make_private()
        call_command("migrate", interactive=False, verbosity=0)
    elif how == "at-once":
        schema.bring_up_to_date(lambda text: None)
    elif how == "forward":
        schema._make_private()
        fill(json.loads(Path(file[0]).read_text()))
        before = counted()
        schema.bring_up_to_date(lambda text: None)
    elif how == "snapshot":
        Path(file[0]).write_text(json.dumps(snapshot(), default=_written, indent=0) + "\n")
        return
    print(json.dumps({"schema": described(), "rows": counted(), "before": before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
