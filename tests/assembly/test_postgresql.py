"""The whole program with its people and sessions in PostgreSQL instead of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from peers.postgresql import Cluster
from peers.processes import eventually
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
