"""``doorward recovery-link``: whoever owns the state folder gets in again, whatever became of the password."""

from __future__ import annotations

import subprocess
from pathlib import Path

from peers.processes import environment
from peers.program import DOORWARD, Program
from peers.questions import ask


def recovery_link(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(DOORWARD), "recovery-link", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)


def shown(program: Program, link: str) -> str:
    return ask(link, ca=program.ca).text


def test_a_way_in(own_program: Program) -> None:
    """While the program runs and while it is stopped; a new link kills the one before; the events say so."""
    program = own_program.start()

    first = recovery_link("--data", str(program.data))
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith(program.identity + "/if/flow/default-recovery-flow/?flow_token=")
    assert "Choose a new password" in shown(program, first.stdout.strip())
    assert "there is no user 'nobody'" in recovery_link("nobody", "--data", str(program.data)).stderr

    program.stop()
    second = recovery_link("akadmin", "--config", str(program.data / "doorward.yml"))
    program.start()

    assert "The link works once" in shown(program, second.stdout.strip())
    assert "The link works once" not in shown(program, first.stdout.strip())
    program.stop()


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    """The message names it."""
    config = tmp_path / "doorward.yml"
    config.write_text(f"identity: {{externalUrl: 'https://auth.open.test', data: {tmp_path}/none}}\n")

    done = recovery_link("--config", str(config))

    assert done.returncode == 1
    assert f"{tmp_path}/none is no state folder" in done.stderr
