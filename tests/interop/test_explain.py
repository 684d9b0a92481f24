"""``doorward explain`` and ``doorward headers`` beside the running program, as an administrator has them."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from peers.processes import environment
from peers.program import DOORWARD, PASSWORD, TOKEN, Program
from peers.questions import ask

pytestmark = pytest.mark.interop


def command(program: Program, *argv: str, status: int = 0) -> str:
    """What it prints."""
    done = subprocess.run(
        [DOORWARD, argv[0], "--data", program.data, *argv[1:]],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr + done.stdout
    assert not any(secret in done.stdout for secret in (PASSWORD, TOKEN))
    return done.stdout


def explained(program: Program, request_id: str) -> Any:
    return json.loads(command(program, "explain", request_id, "--json"))[0]["decision"]


def test_the_id_of_an_answer_leads_to_its_reason(program: Program) -> None:
    """A redirect, a script's refusal and a host without a router: each by the id that its answer carries."""
    redirect = ask(f"{program.whoami}/wanted?code=s3cret", ca=program.ca, headers=[("Accept", "text/html")])
    script = ask(f"{program.whoami}/api", ca=program.ca, headers=[("Accept", "application/json")])
    nobody = ask(
        f"{program.identity}/x", ca=program.ca, headers=[("Host", "nobody.localhost"), ("Accept", "text/html")]
    )

    first = explained(program, redirect.one("X-authentik-id"))
    assert (first["reason"], first["path"], first["cookie"]) == ("no_session", "/wanted", "none")
    assert "s3cret" not in json.dumps(first)
    second = explained(program, json.loads(script.body)["request_id"][:12])
    assert (second["status"], second["navigation"]) == (401, False)
    on_the_page = re.search(r"Request ([0-9a-f]{32})", nobody.text)
    assert on_the_page
    assert explained(program, on_the_page[1])["reason"] == "no_router"
    assert "The browser brought no session" in command(program, "explain", redirect.one("X-authentik-id"))
    assert "no_session" in command(program, "explain", "--host", "whoami")
    command(program, "explain", "ffffffff", status=1)


def test_why_somebody_gets_in_and_what_the_application_receives(program: Program) -> None:
    """The real chain of a worker, with forged fields: nothing arrives, and nothing is left behind."""
    assert "akadmin may enter whoami now" in command(program, "explain", "--app", "whoami", "--user", "akadmin")
    contract = json.loads(command(program, "headers", "whoami", "--spoof", "--json"))
    fields = {line["name"].lower(): line["value"] for line in contract["headers"]}
    assert contract["outcome"]["router"] == "whoami@file"
    assert fields["x-authentik-username"] == "akadmin"
    assert fields["cookie"] == "of_the_application=kept"
    assert contract["jwt"]["preferred_username"] == "akadmin"
    assert "eyJ" not in json.dumps(contract)
    assert len(contract["spoof"]) == 18
    assert all(not line.get("arrived") for line in contract["spoof"])
    assert contract["stranger"]["status"] == 302
    assert "203.0.113.7" not in command(program, "explain", "--limit", "500")
    command(program, "headers", "no-such-application", status=1)


def test_an_administrator_sends_the_doctor_from_the_api(program: Program) -> None:
    """To the application's own external host, from the control process."""
    answer = ask(
        f"{program.plain}/api/v3/doorward/examinations/whoami/",
        method="POST",
        headers=[("Authorization", f"Bearer {TOKEN}"), ("Content-Length", "0")],
        timeout=60,
    )
    examined = json.loads(answer.body)
    assert answer.status == 200, examined
    assert examined["url"] == program.whoami
    assert [finding["code"] for finding in examined["findings"] if finding["verdict"] == "fault"] == []
    assert "callback" in {finding["code"] for finding in examined["findings"]}
