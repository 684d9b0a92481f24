"""``doorward backup`` and ``doorward restore``: what was ended stays ended, also what the backup does not know of."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest

from peers.api import Api
from peers.processes import environment, eventually
from peers.program import DOORWARD, TOKEN, Program
from peers.questions import Answer
from peers.walking import REDIRECTS, Walker


def doorward(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(DOORWARD), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)


def opened(walker: Walker, program: Program) -> Answer:
    """The application, or the page on which its visitor is held up."""
    url = program.whoami + "/"
    for _ in range(12):
        answer = walker.get(url)
        if answer.status not in REDIRECTS:
            break
        url = urljoin(url, answer.one("Location"))
    return answer


def logged_in(walker: Walker, program: Program) -> None:
    walker.go(program.identity + "/", until=program.identity + "/if/user/")


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Program]:
    """Where the backup is restored."""
    program = Program(tmp_path / "second")
    try:
        yield program
    finally:
        program.end()


def test_what_was_ended_stays_ended(own_program: Program, second: Program, tmp_path: Path) -> None:
    """Taken while the program runs; restored elsewhere, passwords work, and no cookie or token of before does."""
    # S-810
    program = own_program.start()
    api, walker, idler = Api(program), Walker(program.ca), Walker(program.ca)
    for each in (walker, idler):
        logged_in(each, program)
        assert "X-Authentik-Username: akadmin" in opened(each, program).text
    file = tmp_path / "doorward.backup"

    taken = doorward("backup", file, "--data", program.data)
    assert taken.returncode == 0, taken.stderr
    assert "whoever reads it can become everybody" in taken.stdout
    refused = doorward("restore", file, "--data", program.data, "--replace")
    assert "another Doorward is running" in refused.stderr
    # What happens from here on the backup does not know.
    for session in api.get("/core/authenticated_sessions/")["results"]:
        if session["user"] == api.first("/core/users/", username="akadmin")["pk"]:
            api.delete(f"/core/authenticated_sessions/{session['uuid']}/")
    api.post("/core/users/", username="late", name="Late")
    eventually(
        lambda: "X-Authentik-Username" not in opened(walker, program).text, within=10, what="who was ended is out"
    )
    program.stop()

    restored = doorward("restore", file, "--data", second.data)
    assert restored.returncode == 0, restored.stderr
    assert "2 login sessions" in restored.stdout
    assert "2 proxy sessions" in restored.stdout
    assert "authentik-bootstrap-token (akadmin)" in restored.stdout
    assert "is not empty" in doorward("restore", file, "--data", second.data).stderr

    second.start()
    # Neither the one that was ended, nor the one of which nobody knew, nor the token.
    for each in (walker, idler):
        page = opened(each, second).text
        assert "X-Authentik-Username" not in page
        assert 'name="uid_field"' in page
    token = second.ask("/api/v3/core/users/me/", headers=[("Authorization", f"Bearer {TOKEN}")])
    assert token.status in (401, 403)
    anew = Walker(second.ca)
    logged_in(anew, second)
    assert "X-Authentik-Username: akadmin" in opened(anew, second).text
    second.stop()

    assert doorward("events", "verify", "--data", second.data).returncode == 0
    told = doorward("events", "export", "--action", "restored", "--data", second.data)
    event = json.loads(told.stdout.splitlines()[0])
    assert "2 proxy sessions" in event["context"]["ended"]
    assert "late" not in doorward("users", "export", "--data", second.data).stdout
