"""``doorward users``: users from a file and into one, beside the running program."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from peers.api import Api
from peers.processes import environment
from peers.program import DOORWARD, Program

HASH = "pbkdf2_sha256$1000$salt$" + "A" * 43 + "="


def users(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(DOORWARD), "users", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False, input=text)


def test_users_come_in_and_go_out(own_program: Program, tmp_path: Path) -> None:
    """A look first, then for good; the running program knows them at once, and no output has a hash."""  # I5
    program, file = own_program.start(), tmp_path / "people.csv"
    at = ("--data", str(program.data))
    file.write_text(f"username,name,password_hash\ncarol,Carol,{HASH}\ndave,Dave,nonsense\n")

    look = users("import", str(file), "--dry-run", *at)
    assert look.returncode == 1
    assert look.stdout.splitlines()[0] == "2\tcreated\tcarol\twith a password"
    assert look.stdout.splitlines()[1].startswith("3\trefused\tdave\tpassword_hash: ")
    assert look.stderr == "Nothing was changed. It would be: 1 created, 1 refused\n"
    assert Api(program).get("/core/users/", username="carol")["results"] == []

    done = users("import", str(file), *at)
    assert done.stderr == "1 created, 1 refused\n"
    assert Api(program).first("/core/users/", username="carol")["name"] == "Carol"
    exported = users("export", "--format", "json", *at)
    assert [user["username"] for user in json.loads(exported.stdout)][:2] == ["akadmin", "carol"]
    again = users("import", "-", *at, text=exported.stdout)
    assert (again.returncode, "unchanged" in again.stderr) == (0, True)
    for output in (look, done, exported, again):
        assert HASH not in output.stdout + output.stderr
    program.stop()


def test_a_file_that_is_none(own_program: Program) -> None:
    """The message says what is wrong with it."""
    program = own_program.start()
    done = users("import", "-", "--data", str(program.data), text="name\nCarol\n")
    program.stop()

    assert (done.returncode, "no column “username”" in done.stderr) == (1, True)
