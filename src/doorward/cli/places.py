"""Where a command that works beside the program finds it: ``--config`` or ``--data``, the demo's without either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from doorward.assembly.state_folder import StateFolder
from doorward.cli.demo import default_data
from doorward.cli.plans import plan_of
from doorward.messages.plan import Plan


def place_of(config_file: Path | None, data: str | None) -> tuple[Plan, StateFolder]:
    """Raises click.ClickException where there is no configuration."""
    config = config_file or Path(data or default_data()) / "doorward.yml"
    if not config.exists():
        raise click.ClickException(f"{config} does not exist. Name the configuration with --config.")
    plan = plan_of(config.absolute())
    folder = Path(plan.state_folder)
    return plan, StateFolder(folder, folder / "run")


def with_place(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the two options, as ``config_file`` and ``data``."""
    config = click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Static configuration.  [default: doorward.yml in the state folder]",
    )
    data = click.option(
        "--data", help="State folder, when its own doorward.yml is the configuration.  [default: the demo's]"
    )
    return config(data(command))
