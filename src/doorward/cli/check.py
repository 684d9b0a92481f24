"""``doorward check``: is this configuration right? Reads everything, starts nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TextIO

import click

from doorward.assembly import access_tests, checking
from doorward.assembly.state_folder import StateFolder
from doorward.cli.plans import plan_of, read_static


@click.command()
@click.option(
    "--config",
    "config_file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Static configuration.",
)
@click.option(
    "--access",
    "access_file",
    type=click.File("r", encoding="utf-8"),
    help="Statements about who reaches what, to be judged against the database.",
)
def check(config_file: Path, access_file: TextIO | None) -> None:
    """Read the configuration and everything that it names, and say what is wrong with it.

    Exits with 1 when it could not be used; warnings alone are no failure.

    \b
    Example:
      doorward check --config doorward.yml
      doorward check --config doorward.yml --access access.yml
    """
    if access_file is not None:
        _check_access(config_file, access_file)
        return
    verdict = asyncio.run(checking.verdict(read_static(config_file), config_file.parent))
    for warning in verdict.warnings:
        click.echo(f"warning: {warning}")
    if verdict.problems:
        raise click.ClickException(f"the routes cannot be used:\n{verdict.problems}")
    click.echo(f"{config_file}: {verdict.routers} routers, {verdict.services} services; the configuration can be used.")


def _check_access(config_file: Path, access_file: TextIO) -> None:
    plan = plan_of(config_file.absolute())
    folder = Path(plan.state_folder)
    try:
        report = access_tests.judge(plan, StateFolder(folder, folder / "run"), access_file.read())
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{access_file.name} is not UTF-8 text") from error
    except access_tests.Unusable as error:
        raise click.ClickException(f"{access_file.name}: {error}") from error
    for line in report.lines:
        click.echo(f"{access_file.name}: {line}")
    if report.lines:
        raise click.ClickException(f"{len(report.lines)} of {report.number} statements are not true")
    click.echo(f"{access_file.name}: {report.number} statements, all of them are true.")
