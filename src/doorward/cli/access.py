"""``doorward access``: who can reach what, now or under a change that nobody has made yet."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import click

from doorward.assembly import access_questions
from doorward.assembly.access_questions import Reached
from doorward.cli.places import place_of, with_place

_file = click.File("r", encoding="utf-8")


class _CannotBeUsed(click.ClickException):
    exit_code = 2


@click.command("access")
@click.option("--user", help="Everything that this user can reach.")
@click.option("--application", help="Everybody who can reach the application with this slug.")
@click.option("--denied", is_flag=True, help="Who cannot as well, with the reason.")
@click.option("--client-ip", default="", help="The address for rules about networks and places.")
@click.option("--blueprint", type=_file, help="Instead: who gains and loses if this blueprint were applied.")
@click.option("--statements", type=_file, help="Instead: who has to gain and lose for these statements to be true.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@with_place
def access(
    user: str | None,
    application: str | None,
    denied: bool,
    client_ip: str,
    blueprint: TextIO | None,
    statements: TextIO | None,
    form: str,
    config_file: Path | None,
    data: str | None,
) -> None:
    """Show who can reach what: one user, one application, or all of them; and who would gain or lose it.

    It works while the program runs and while it is stopped, for whoever owns the state folder, and changes nothing.
    With --blueprint or --statements (a file of doorward check --access) the exit status is 0 when nobody gains or
    loses anything, 1 when somebody does, and 2 when the file cannot be used. --user and --application narrow that too.

    \b
    Examples:
      doorward access --user bob
      doorward access --application wiki --denied --client-ip 192.0.2.7
      doorward access --format csv > access.csv
      doorward access --blueprint wiki.yaml --config /etc/doorward/doorward.yml
      doorward access --statements access.yml --format json
    """
    if blueprint is not None and statements is not None:
        raise click.UsageError("Either --blueprint or --statements.")
    who = access_questions.Narrowed(user, application, client_ip)
    proposal = blueprint or statements
    try:
        plan, folder = place_of(config_file, data)
        if proposal is None:
            rows = access_questions.now(plan, folder, who, denied=denied)
        else:
            ask = access_questions.under_blueprint if blueprint is not None else access_questions.under_statements
            rows = ask(plan, folder, who, _text(proposal), proposal.name)
    except access_questions.Unusable as error:
        raise _CannotBeUsed(str(error)) from error
    _FORMS[form](rows)
    if proposal is not None:
        gained = sum(row.outcome == "gains" for row in rows)
        click.echo(f"{gained} gained, {len(rows) - gained} lost; nothing was changed.", err=True)
        raise SystemExit(1 if rows else 0)


def _text(file: TextIO) -> str:
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise _CannotBeUsed(f"{file.name} is not UTF-8 text") from error


def _table(rows: Iterable[Reached]) -> None:
    head = Reached("user", "application", "", "reason")
    cells = [(row.user, row.application, row.outcome, row.reason) for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(3)]
    for row in cells:
        click.echo("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]).rstrip())


def _json(rows: Iterable[Reached]) -> None:
    click.echo(json.dumps([row.as_dict() for row in rows], indent=2, ensure_ascii=False))


def _csv(rows: Iterable[Reached]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["user", "application", "outcome", "reason"])
    out.writerows([row.user, row.application, row.outcome, row.reason] for row in rows)


_FORMS = {"table": _table, "json": _json, "csv": _csv}
