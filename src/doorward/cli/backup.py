"""``doorward backup``: everything that the state folder holds, in one file."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.assembly.backups import taking
from doorward.cli import passphrases
from doorward.cli.progress import Progress
from doorward.cli.state_of import of_state, place


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--encrypt", is_flag=True, help="Ask for a passphrase, without which nobody can read the file.")
@click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Encrypt with the passphrase in the first line of this file.",
)
@of_state
def backup(file: Path, encrypt: bool, passphrase_file: Path | None, config_file: Path | None, data: str | None) -> None:
    """Write a backup to FILE: database, secret key, certificate authority, blueprints, and whatever else lies there.

    It works while the program runs, and shows one moment. FILE holds secrets; only its owner can read it. A PostgreSQL
    database is not in it: take that with pg_dump, after this.

    \b
    Examples:
      doorward backup doorward-$(date +%F).backup --config /etc/doorward/doorward.yml
      doorward backup doorward.backup --encrypt --data ~/.local/state/doorward-demo
      doorward backup doorward.backup --passphrase-file /root/passphrase --config doorward.yml
    """
    plan, folder = place(config_file, data)
    passphrase = passphrases.new(passphrase_file) if encrypt or passphrase_file else ""
    try:
        taken = taking.take(plan, folder, file.absolute(), passphrase, Progress())
    except taking.CannotBackUp as error:
        raise click.ClickException(str(error)) from error
    for link in taken.links:
        click.echo(f"Not in it: {link} is a link, and leads out of the state folder.", err=True)
    if not taken.has_database:
        click.echo(
            "Not in it: the database is PostgreSQL's. Take it now, after this file: pg_dump --format=custom", err=True
        )
    click.echo(
        f"{file}: {max(taken.size >> 10, 1):,} KiB. It holds secrets"
        + (", encrypted with the passphrase." if passphrase else ": whoever reads it can become everybody.")
    )
