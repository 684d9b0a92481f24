"""First and later starts, each in a process of its own as the program does it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os
from doorward.identity import bootstrap
wishes = bootstrap.Bootstrap(os.environ.get("P"), os.environ.get("T"), os.environ.get("E"))
try:
    prepared = bootstrap.prepare(wishes)
except bootstrap.CannotPrepare as error:
    print("refused:", error)
    raise SystemExit(1)
print(prepared.first_start, prepared.generated_password, sep="|")
"""


def start(folder: Path, script: str = SCRIPT, **wishes: str) -> subprocess.CompletedProcess[str]:
    """Prepare ``folder`` and report what ``prepare`` returned."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DOORWARD_", "DJANGO_"))},
        "DOORWARD_DATA": str(folder),
        "DOORWARD_EXTERNAL_URL": "https://auth.example.test",
        **wishes,
    }
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "doorward.sqlite3") as connection:
        return connection.execute(sql).fetchall()


def test_the_first_start_makes_an_administrator_with_a_random_password(state_folder: Path) -> None:
    """It is told once, is written nowhere, and the second start changes nothing."""  # S-523
    first = start(state_folder)
    second = start(state_folder)

    assert first.returncode == 0, first.stderr
    told, password = first.stdout.strip().split("|")
    assert told == "True"
    assert len(password) == 24
    assert password not in first.stderr
    assert second.stdout.strip() == "False|None"
    for file in state_folder.iterdir():
        assert password.encode() not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0, file  # S-807
    assert rows(state_folder, "SELECT username, email FROM directory_user") == [("akadmin", "root@example.com")]


def test_the_operator_may_choose(state_folder: Path) -> None:
    """Password, token and address; none of them is printed."""
    chosen = start(state_folder, P="correct horse battery", T="t" * 40, E="me@example.test")

    assert chosen.stdout.strip() == "True|None"
    assert "correct horse" not in chosen.stderr
    assert "t" * 40 not in chosen.stderr
    assert rows(state_folder, "SELECT identifier, expiring FROM directory_token") == [("authentik-bootstrap-token", 0)]
    assert rows(state_folder, "SELECT email FROM directory_user") == [("me@example.test",)]


@pytest.mark.parametrize("wishes", [{"P": "short"}, {"T": "short"}])
def test_an_impossible_wish_leaves_the_door_for_another_try(state_folder: Path, wishes: dict[str, str]) -> None:
    """Refused with a reason; the next start is still a first one."""
    refused = start(state_folder, **wishes)

    assert refused.returncode == 1
    assert refused.stdout.startswith("refused:")
    assert start(state_folder).stdout.startswith("True|")


def test_deleting_the_administrator_does_not_make_another(state_folder: Path) -> None:
    """The first start never comes again."""  # S-523
    start(state_folder)
    with sqlite3.connect(state_folder / "doorward.sqlite3") as connection:
        connection.execute("DELETE FROM directory_user_groups")
        connection.execute("DELETE FROM directory_user")

    assert start(state_folder, P="correct horse battery").stdout.strip() == "False|None"
    assert rows(state_folder, "SELECT count(*) FROM directory_user") == [(0,)]


def test_a_newer_database_is_refused(state_folder: Path) -> None:
    """Said in words, and nothing is touched."""  # S-809
    start(state_folder)
    with sqlite3.connect(state_folder / "doorward.sqlite3") as connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('directory', '9999_future', '2030-01-01')"
        )

    refused = start(state_folder)

    assert refused.returncode == 1
    assert "newer Doorward (directory.9999_future)" in refused.stdout


def test_a_foreign_secret_key_is_refused(state_folder: Path) -> None:
    """A lost or swapped key is noticed before anything is served."""  # S-801
    start(state_folder)
    (state_folder / "secret.key").write_text("ab" * 32)

    refused = start(state_folder)

    assert refused.returncode == 1
    assert "secret.key" in refused.stdout


def test_a_lost_secret_key_is_not_replaced(state_folder: Path) -> None:
    """A new one would open nothing in the database that is there; none is made."""  # S-801
    start(state_folder)
    (state_folder / "secret.key").unlink()

    refused = start(state_folder)

    assert refused.returncode == 1
    assert "secret.key is missing" in refused.stderr
    assert not (state_folder / "secret.key").exists()


KILLED = """
import os, signal
from django.db.migrations.recorder import MigrationRecorder
from doorward.identity import bootstrap
noted = MigrationRecorder.record_applied
def note(self, app, name, told=[]):
    told.append(name)
    if len(told) == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    noted(self, app, name)
MigrationRecorder.record_applied = note
bootstrap.prepare(bootstrap.Bootstrap(None, None, None))
"""


def test_a_first_start_that_is_killed_leaves_no_half_schema(state_folder: Path) -> None:
    """All of it is one transaction: the next start begins anew, and everything is there."""  # S-809
    killed = start(state_folder, script=KILLED)
    assert killed.returncode != 0
    assert rows(state_folder, "SELECT name FROM sqlite_master WHERE type = 'table'") == []

    assert start(state_folder).stdout.startswith("True|")
    assert rows(state_folder, "SELECT username FROM directory_user") == [("akadmin",)]
    assert rows(state_folder, "PRAGMA integrity_check") == [("ok",)]


def test_two_first_starts_at_once_make_one_administrator(state_folder: Path) -> None:
    """One waits for the other and finds everything done."""  # S-523 S-809
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(run.stdout.split("|")[0] for run in pool.map(start, [state_folder, state_folder]))

    assert outcomes == ["False", "True"]
    assert rows(state_folder, "SELECT count(*) FROM directory_user") == [(1,)]


def test_an_open_database_file_is_closed(state_folder: Path) -> None:
    """A file that others could read no longer is."""  # S-807
    start(state_folder)
    (state_folder / "doorward.sqlite3").chmod(0o644)

    start(state_folder)

    assert (state_folder / "doorward.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_database_is_said(state_folder: Path) -> None:
    """In one sentence, not in a traceback."""
    (state_folder / "secret.key").touch(0o600)
    (state_folder / "secret.key").write_text("ab" * 32)
    (state_folder / "doorward.sqlite3").write_bytes(b"not a database" * 100)

    refused = start(state_folder)

    assert refused.returncode == 1
    assert refused.stdout.strip() == "refused: The database cannot be used: file is not a database"
    assert "Traceback" not in refused.stderr


def test_a_restored_database_is_served_only_after_its_new_beginning(state_folder: Path) -> None:
    """Where it was put back by other means than ours: the first start ends what it brought back to life, once."""
    # S-810
    assert start(state_folder, T="t" * 40).returncode == 0
    pending = state_folder / "restore-pending.json"
    pending.write_text('{"since": "2026-11-01T00:00:00Z", "keep_tokens": false}')

    assert "Ending the sessions and tokens" in start(state_folder).stderr

    assert not pending.exists()
    assert rows(state_folder, "SELECT count(*) FROM events_event WHERE action = 'restored'") == [(1,)]
    assert rows(state_folder, "SELECT expiring, expires IS NULL FROM directory_token") == [(1, 0)]
