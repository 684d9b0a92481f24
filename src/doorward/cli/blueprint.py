"""``doorward blueprint``: objects from files and into files, on the machine itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import click

from doorward.assembly import blueprints
from doorward.cli.places import place_of, with_place


@click.group("blueprint")
def blueprint() -> None:
    """Apply blueprints, see what they would do, and write objects as blueprints.

    It works while the program runs and while it is stopped, for whoever owns the state folder.

    \b
    Examples:
      doorward blueprint diff wiki.yaml
      doorward blueprint apply wiki.yaml --config /etc/doorward/doorward.yml
      doorward blueprint diff
      doorward blueprint export authentik_flows.flow default-authentication-flow > flow.yaml
    """


_file = click.File("r", encoding="utf-8")


@blueprint.command("apply")
@click.argument("file", type=_file)
@click.option("--dry-run", is_flag=True, help="Show what would happen, and change nothing.")
@with_place
def apply(file: TextIO, dry_run: bool, config_file: Path | None, data: str | None) -> None:
    """Apply FILE (- for standard input): all of it or, when something is wrong with it, nothing.

    A line is printed for each object that is created (+), changed (~) or deleted (-), and below it each field with what
    the database said and what the file says. Secrets are stars.

    \b
    Examples:
      doorward blueprint apply wiki.yaml
      doorward blueprint apply wiki.yaml --dry-run
    """
    work = blueprints.diff if dry_run else blueprints.apply
    answer = _asked(work, *place_of(config_file, data), _text(file), file.name)
    click.echo(("Nothing was changed. It would be: " if dry_run else "") + answer.counted, err=True)


@blueprint.command("diff")
@click.argument("file", type=_file, required=False)
@with_place
def diff(file: TextIO | None, config_file: Path | None, data: str | None) -> None:
    """Show where the database says something else than FILE, or than any blueprint that is in force.

    The exit status is 0 when there is no difference, 1 when there is one, and 2 when a file cannot be used.

    \b
    Examples:
      doorward blueprint diff
      doorward blueprint diff wiki.yaml
    """
    place = place_of(config_file, data)
    answer = (
        _asked(blueprints.diff_all, *place) if file is None else _asked(blueprints.diff, *place, _text(file), file.name)
    )
    click.echo(answer.counted, err=True)
    raise SystemExit(1 if answer.differs else 0)


@blueprint.command("export")
@click.argument("model")
@click.argument("name")
@with_place
def export(model: str, name: str, config_file: Path | None, data: str | None) -> None:
    """Print the object of MODEL called NAME (its slug, identifier, user name or name) as a blueprint.

    A flow comes with its stages, prompts, policies and bindings, an application with its provider and bindings.
    A secret is a variable that has to be set where the blueprint is applied.

    \b
    Examples:
      doorward blueprint export authentik_core.application wiki
      doorward blueprint export authentik_flows.flow default-authentication-flow
    """
    plan, folder = place_of(config_file, data)
    try:
        click.echo(blueprints.export(plan, folder, model, name), nl=False)
    except blueprints.Unusable as error:
        raise click.ClickException(str(error)) from error


class _CannotBeUsed(click.ClickException):
    exit_code = 2


def _text(file: TextIO) -> str:
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not UTF-8 text") from error


def _asked(work: Callable[..., blueprints.Answer], *arguments: Any) -> blueprints.Answer:
    """Prints the lines of the answer."""
    try:
        answer = work(*arguments)
    except blueprints.Unusable as error:
        raise _CannotBeUsed(str(error)) from error
    for line in answer.lines:
        click.echo(line)
    return answer
