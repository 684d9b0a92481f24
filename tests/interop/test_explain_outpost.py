"""``doorward explain`` beside an outpost on its own, as its operator has it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers.openid_provider import CLIENT, SECRET, serving
from peers.outpost_program import outpost
from peers.processes import environment, free_port
from peers.program import DOORWARD
from peers.questions import ask

pytestmark = pytest.mark.interop

KEY = "0123456789abcdef0123456789abcdef"


def text_of(port: int, issuer: str, state: str) -> str:
    return f"""\
listen: "127.0.0.1:{port}"
issuer:
  url: {issuer}
  clientId: {CLIENT}
  clientSecret: "{SECRET}"
  connect: 127.0.0.1:{issuer.split(":")[2].partition("/")[0]}
applications:
  wiki:
    externalUrl: http://wiki.localhost:{port}
    upstreams: [{{url: "http://127.0.0.1:{free_port()}"}}]
    allow: {{groups: [staff]}}
cookie: {{secret: {KEY}}}
{state}"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Its port and its configuration file."""
    port = free_port()
    with (
        serving(free_port()) as issuer,
        outpost(tmp_path, port, text_of(port, issuer.issuer, f"state: {tmp_path}/state")),
    ):
        yield port, tmp_path / "outpost.yml"


def explain(*argv: object, status: int = 0) -> str:
    done = subprocess.run(
        [DOORWARD, "explain", *map(str, argv)],
        env=environment(DOORWARD_DATA="/nowhere"),  # of another program: what is named counts
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr + done.stdout
    assert KEY not in done.stdout
    return done.stdout + done.stderr


def test_the_id_of_an_answer_leads_to_its_reason(running: tuple[int, Path], tmp_path: Path) -> None:
    """A script's refusal, a redirect, a bad callback and a host of nobody; asked by configuration or by folder."""
    port, config = running
    url = f"http://wiki.localhost:{port}"
    script = ask(f"{url}/api?code=s3cret", headers=[("Accept", "application/json")])
    redirect = ask(f"{url}/page", headers=[("Accept", "text/html")])
    callback = ask(f"{url}/outpost.goauthentik.io/callback?code=a&state=b", headers=[("Accept", "text/html")])
    nobody = ask(f"http://127.0.0.1:{port}/x", headers=[("Host", "nobody.localhost"), ("Accept", "text/html")])

    told = explain("--config", config, json.loads(script.body)["request_id"])
    assert "The browser brought no session" in told
    assert "s3cret" not in told
    assert "wiki at http://wiki.localhost" in told
    by_folder = json.loads(explain("--data", tmp_path / "state", redirect.one("X-authentik-id"), "--json"))
    assert (by_folder[0]["decision"]["reason"], by_folder[0]["decision"]["path"]) == ("no_session", "/page")
    bad = json.loads(explain("--config", config, callback.one("X-authentik-id"), "--json"))
    assert (bad[0]["decision"]["reason"], bad[0]["decision"]["status"]) == ("own_endpoint", 400)
    listed = json.loads(explain("--config", config, "--json"))["decisions"]
    assert {each["reason"] for each in listed} >= {"no_session", "own_endpoint", "no_router"}, listed
    assert nobody.status == 404
    explain("--config", config, "ffffffff", status=1)
    assert "knows no users" in explain("--config", config, "--app", "wiki", "--user", "carol", status=1)


def test_the_records_are_its_owners_alone(running: tuple[int, Path], tmp_path: Path) -> None:
    """The door is a socket of mode 0600 in a folder of mode 0700, and goes when the outpost stops."""
    folder = tmp_path / "state"
    [door] = folder.glob("run/*/explain.sock")

    assert folder.stat().st_mode & 0o777 == 0o700
    assert door.stat().st_mode & 0o777 == 0o600


def test_without_a_folder_there_are_no_records(tmp_path: Path) -> None:
    """The command says what the configuration lacks."""
    config = tmp_path / "outpost.yml"
    config.write_text(text_of(free_port(), f"http://id.localhost:{free_port()}/realms/main", ""))

    assert "names no folder in state" in explain("--config", config, "abcdef", status=1)
