"""Which configuration and state folder a command is about, for commands that work on the folder itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from doorward.assembly.state_folder import StateFolder
from doorward.cli.demo import default_data
from doorward.cli.plans import plan_of
from doorward.messages.plan import Plan

F = TypeVar("F", bound=Callable[..., object])


def of_state(command: F) -> F:
    """The two options, as ``config_file`` and ``data``."""
    command = click.option(
        "--data", help="State folder, when its own doorward.yml is the configuration.  [default: the demo's]"
    )(command)
    return click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Static configuration.  [default: doorward.yml in the state folder]",
    )(command)


def place(config_file: Path | None, data: str | None) -> tuple[Plan, StateFolder]:
    """Raises click.ClickException where there is no configuration, or one that cannot be used."""
    config = config_file or Path(data or default_data()) / "doorward.yml"
    if not config.exists():
        raise click.ClickException(f"{config} does not exist. Name the configuration with --config.")
    plan = plan_of(config.absolute())
    folder = Path(plan.state_folder)
    return plan, StateFolder(folder, folder / "run")
