"""Blueprints of a real program: files in force within seconds, and ``doorward blueprint`` beside it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from peers.api import Api
from peers.processes import environment, eventually
from peers.program import DOORWARD, Program

NIGHT = (
    "version: 1\nmetadata:\n  name: Night watch\nentries:\n"
    "  - model: authentik_core.group\n    identifiers: {{name: night}}\n    attrs: {{attributes: {{floor: {}}}}}\n"
)


def blueprint(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(DOORWARD), "blueprint", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False, input=text)


def floor(program: Program) -> object:
    """What the running program says."""
    found = Api(program).get("/core/groups/", name="night")["results"]
    return found[0]["attributes"].get("floor") if found else None


def test_files_are_in_force_and_compared_and_applied(own_program: Program, tmp_path: Path) -> None:
    """At the start, after a change, and by the command with its exit status (1 different, 2 unusable)."""
    folder = own_program.data / "blueprints"
    folder.mkdir(parents=True)
    (folder / "night.yaml").write_text(NIGHT.format(1))
    program = own_program.start()
    at = ("--data", str(program.data))
    assert floor(program) == 1
    (folder / "night.yaml").write_text(NIGHT.format(2))
    eventually(lambda: floor(program) == 2, what="the changed file is in force")

    other = tmp_path / "other.yaml"
    other.write_text(NIGHT.format(3))
    look = blueprint("diff", str(other), *at)
    assert (look.returncode, look.stderr) == (1, "1 changed\n")
    assert look.stdout == "~ authentik_core.group night\n    attributes: {'floor': 2} -> {'floor': 3}\n"
    assert floor(program) == 2
    assert blueprint("apply", "-", *at, text=NIGHT.format(3)).returncode == 0
    assert floor(program) == 3
    drift = blueprint("diff", *at)
    assert (drift.returncode, "# Night watch" in drift.stdout) == (1, True)
    wrong = blueprint("diff", "-", *at, text=NIGHT.format(3).replace("name: night}", "nam: night}"))
    assert (wrong.returncode, "did you mean 'name'?" in wrong.stderr) == (2, True)
    program.stop()
