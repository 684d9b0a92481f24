"""``doorward access``: who can reach what, beside the running program."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

from peers.processes import environment
from peers.program import DOORWARD, Program

WIKI = """
version: 1
entries:
  - {model: authentik_core.application, id: wiki, identifiers: {slug: wiki}, attrs: {name: Wiki}}
"""


def access(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(DOORWARD), "access", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False, input=text)


def test_who_reaches_what_and_who_would(own_program: Program, tmp_path: Path) -> None:
    """As a table, as CSV and as JSON; a proposal says by its exit status whether anything would change."""
    program = own_program.start()
    at = ("--data", str(program.data))

    would = access("--blueprint", "-", "--format", "json", *at, text=WIKI)
    assert (would.returncode, would.stderr) == (1, "1 gained, 0 lost; nothing was changed.\n")
    assert json.loads(would.stdout) == [
        {"user": "akadmin", "application": "wiki", "outcome": "gains", "reason": ""},
    ]

    command = [str(DOORWARD), "blueprint", "apply", "-", *at]
    subprocess.run(command, input=WIKI, text=True, env=environment(), check=True, capture_output=True)
    now = access("--application", "wiki", *at)
    assert now.returncode == 0
    assert "akadmin  wiki         yes  Nothing is bound: everybody may enter" in now.stdout
    rows = list(csv.DictReader(io.StringIO(access("--user", "akadmin", "--format", "csv", *at).stdout)))
    assert "wiki" in [row["application"] for row in rows]
    assert access("--blueprint", "-", *at, text=WIKI).returncode == 0

    wanted = "version: 1\naccess:\n  - {user: akadmin, may_not: wiki}\n"
    assert access("--statements", "-", *at, text=wanted).stdout.splitlines()[1].split() == ["akadmin", "wiki", "loses"]
    for wrong in (("--user", "nobody"), ("--application", "nothing"), ("--statements", "-"), ("--blueprint", "-")):
        assert access(*wrong, *at, text="nonsense").returncode == 2
    program.stop()
