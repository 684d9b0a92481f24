"""``doorward check``: is this configuration right? Reads everything, starts nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from doorward.assembly import checking
from doorward.cli.plans import read_static


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

    Exits with 1 when it could not be used; warnings alone are no failure.

    \b
    Example:
      doorward check --config doorward.yml
    """
    verdict = asyncio.run(checking.verdict(read_static(config_file)))
    for warning in verdict.warnings:
        click.echo(f"warning: {warning}")
    if verdict.problems:
        raise click.ClickException(f"the routes cannot be used:\n{verdict.problems}")
    click.echo(f"{config_file}: {verdict.routers} routers, {verdict.services} services; the configuration can be used.")
