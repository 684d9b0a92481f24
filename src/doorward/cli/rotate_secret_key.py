"""``doorward rotate-secret-key``: a new secret key, and everything sealed with that."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.assembly import rotating
from doorward.cli.progress import Progress
from doorward.cli.state_of import of_state, place

_MOST = 20
"""Unreadable values that are listed."""


@click.command("rotate-secret-key")
@of_state
def rotate_secret_key(config_file: Path | None, data: str | None) -> None:
    """Exchange secret.key, and seal with the new key what the former one had sealed.

    Stop the program first, on every machine that uses the database. Nobody has to log in again; tokens, passwords,
    factors, recovery codes and applications stay as they are. If the command is interrupted, the program works with
    both keys, and the command goes on when it is run again. Copy secret.key to the other machines afterwards.

    \b
    Examples:
      doorward rotate-secret-key --config /etc/doorward/doorward.yml
      doorward rotate-secret-key --data ~/.local/state/doorward-demo
    """
    plan, folder = place(config_file, data)
    try:
        done = rotating.rotate(plan, folder, Progress())
    except rotating.Unusable as error:
        raise click.ClickException(str(error)) from error
    for each in done.unreadable[:_MOST]:
        click.echo(f"Neither key opens {each}: it was unreadable before.", err=True)
    if len(done.unreadable) > _MOST:
        click.echo(f"... and {len(done.unreadable) - _MOST} more", err=True)
    if done.resumed:
        click.echo("An earlier run had been interrupted; this one has gone on from there.", err=True)
    click.echo(f"The secret key is a new one; {done.rows:,} secrets were sealed with it. Backups open with their own.")
