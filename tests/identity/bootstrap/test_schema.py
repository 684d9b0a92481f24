"""A fresh database gets its tables at once, an older one by migrations: both are the same in the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from peers.postgresql import Cluster

SCRIPT = Path(__file__).with_name("described_schema.py")
RELEASED = sorted((Path(__file__).parent / "released").glob("*.json"))


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Two empty databases, as ``DOORWARD_DATABASE`` has them; empty text: a file in the state folder."""
    if request.param == "sqlite":
        return ["", ""]
    cluster: Cluster = request.getfixturevalue("postgresql")
    return [cluster.database(), cluster.database()]


def made(how: str, folder: Path, database: str, *file: Path) -> Any:
    """What ``described_schema`` prints."""
    folder.mkdir()
    environment = {
        **os.environ,
        "DOORWARD_DATA": str(folder),
        "DOORWARD_DATABASE": database,
        "DOORWARD_EXTERNAL_URL": "https://auth.example.test",
        "DJANGO_SETTINGS_MODULE": "doorward.identity.settings",
    }
    command = [sys.executable, str(SCRIPT), how, *map(str, file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def test_tables_made_at_once_are_those_of_all_migrations(places: list[str], tmp_path: Path) -> None:
    """Whoever starts afresh and whoever has been there from the beginning have the same database, and as many rows."""
    migrated = made("migrate", tmp_path / "migrated", places[0])
    at_once = made("at-once", tmp_path / "at-once", places[1])
    assert at_once["rows"] == migrated["rows"]
    assert at_once["schema"].keys() == migrated["schema"].keys()
    for table, found in migrated["schema"].items():
        assert at_once["schema"][table] == found, table


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_an_earlier_version_is_brought_forward_with_all_its_rows(
    places: list[str], tmp_path: Path, released: Path
) -> None:
    """From every schema that people have: no row is lost, and the tables are those of a fresh start."""
    forward = made("forward", tmp_path / "forward", places[0], released)
    fresh = made("at-once", tmp_path / "fresh", places[1])
    assert forward["schema"] == fresh["schema"]
    assert not {table: kept for table, kept in forward["before"].items() if forward["rows"][table] < kept}
