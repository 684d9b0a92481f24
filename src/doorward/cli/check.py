"""``doorward check``: is this configuration right? Reads everything, starts nothing."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.cli.plans import plan_of
from doorward.sources.compile import compile_table
from doorward.sources.file import read_files


@click.command()
@click.option(
    "--config",
    "config_file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Static configuration.",
)
def check(config_file: Path) -> None:
    """Read the configuration and everything that it names, and say what is wrong with it.

    \b
    Example:
      doorward check --config doorward.yml
    """
    raise NotImplementedError
