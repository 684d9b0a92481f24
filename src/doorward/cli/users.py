"""``doorward users``: many users from a file, and into one, on the machine itself."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import click

from doorward.assembly import people
from doorward.cli.places import place_of, with_place


@click.group("users")
def users() -> None:
    """Take users in from a file, or write them to one.

    It works while the program runs and while it is stopped, for whoever owns the state folder.

    \b
    Examples:
      doorward users import people.csv --dry-run
      doorward users import people.csv --config /etc/doorward/doorward.yml
      doorward users export --format json > users.json
    """


@users.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--dry-run", is_flag=True, help="Show what would happen, and change nothing.")
@with_place
def import_users(file: TextIO, dry_run: bool, config_file: Path | None, data: str | None) -> None:
    """Make and change the users that FILE (CSV with a header, or JSON; - for standard input) names.

    A line is printed for each: its line number, the outcome, the user and what changed. Refused lines change nothing,
    the others go on; the exit status is 1 if there were any.
    """
    plan, folder = place_of(config_file, data)
    try:
        text = file.read()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not UTF-8 text") from error
    try:
        report = people.take_in(plan, folder, text, dry=dry_run)
    except people.Unusable as error:
        raise click.ClickException(str(error)) from error
    for line in report.lines:
        click.echo(line)
    click.echo(("Nothing was changed. It would be: " if dry_run else "") + report.counted, err=True)
    if report.refused:
        raise SystemExit(1)


@users.command("export")
@click.option("--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@with_place
def export_users(kind: str, config_file: Path | None, data: str | None) -> None:
    """Print all users, with what an import reads again; no passwords."""
    plan, folder = place_of(config_file, data)
    try:
        click.echo(people.export(plan, folder, kind), nl=False)
    except people.Unusable as error:
        raise click.ClickException(str(error)) from error
