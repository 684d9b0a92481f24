"""The whole program with its people and sessions in PostgreSQL instead of a file."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers.postgresql import Cluster
from peers.processes import environment, eventually
from peers.program import DOORWARD
from security.stage import Stage, cookie_line

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def stage(postgresql: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("postgresql"), database=postgresql.database())
    try:
        yield stage.start()
        stage.stop()
    finally:
        stage.end()


def gets_in(stage: Stage, session: tuple[str, str]) -> bool:
    return stage.reached(stage.ask("app", cookie_line(session)))


def test_a_login_leads_to_the_application_and_survives_a_restart(stage: Stage) -> None:
    """Nothing but the database holds who is logged in."""
    session = stage.session()
    assert gets_in(stage, session)
    stage.stop()
    assert not (stage.program.data / "doorward.sqlite3").exists()
    stage.program.start()
    assert gets_in(stage, session)


def test_who_loses_the_group_is_out(stage: Stage) -> None:
    """A change is heard of without SQLite's file to look at."""
    session = stage.fresh_session()
    assert gets_in(stage, session)
    api = stage.api
    group = api.first("/core/groups/", name="staff")
    api.call("POST", f"/core/groups/{group['pk']}/remove_user/", {"pk": stage.people["bob"]})
    eventually(lambda: not gets_in(stage, session), within=5, what="bob is out")
    api.call("POST", f"/core/groups/{group['pk']}/add_user/", {"pk": stage.people["bob"]})


def doorward(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(DOORWARD), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)


def test_a_new_secret_key_and_a_database_that_was_put_back(stage: Stage, tmp_path: Path) -> None:
    """A new key loses nobody; a backup says that the database is not in it; what came back with that one ends."""
    # S-804 S-810
    import psycopg

    session = stage.fresh_session()
    file, config = tmp_path / "doorward.backup", stage.program.config
    assert config is not None
    taken = doorward("backup", file, "--config", config)
    assert "the database is PostgreSQL's" in taken.stderr
    stage.stop()

    with psycopg.connect(stage.database):
        refused = doorward("rotate-secret-key", "--config", config)
        assert "other connections use the database" in refused.stderr
    key = (stage.program.data / "secret.key").read_text()
    rotated = doorward("rotate-secret-key", "--config", config)
    assert rotated.returncode == 0, rotated.stderr
    assert not (stage.program.data / "secret.key").read_text().startswith(key.strip())
    stage.program.start()
    assert gets_in(stage, session)
    stage.stop()

    elsewhere = tmp_path / "doorward.yml"
    elsewhere.write_text(config.read_text().replace(str(stage.program.data), str(tmp_path / "data")))
    restored = doorward("restore", file, "--config", elsewhere)
    assert "put it back with pg_restore" in restored.stdout, restored.stderr
    assert (tmp_path / "data" / "restore-pending.json").exists()
    assert (tmp_path / "data" / "secret.key").read_text() == key

    done = doorward("restore", "--after-database", "--config", config)
    assert done.returncode == 0, done.stderr
    assert "proxy sessions" in done.stdout
    stage.program.start()
    assert not gets_in(stage, session)
    assert doorward("events", "verify", "--config", config).returncode == 0
