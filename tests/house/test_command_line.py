"""The list of commands, which is read before the commands are."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from doorward.cli.main import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there(name: str) -> None:
    """Under its own name, with a sentence about it."""
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert command.name == name
    assert command.get_short_help_str()


def test_one_command_does_not_wait_for_the_others() -> None:
    """What the outpost's process runs has loaded neither Django nor what reads configurations."""
    code = (
        "import sys; import doorward.assembly.outpost_process; "
        "print([n for n in ('django', 'rest_framework', 'pydantic', 'yaml', 'lark', 'click') if n in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    listed = subprocess.run(
        [sys.executable, "-c", "import sys; import doorward.cli.main; print('pydantic' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.strip() == "[]"
    assert listed.stdout.strip() == "False"
