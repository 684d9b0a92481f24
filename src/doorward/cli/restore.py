"""``doorward restore``: a backup comes back, and what was ended since does not."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from doorward.assembly.backups import restoring
from doorward.cli import passphrases
from doorward.cli.plans import plan_of
from doorward.cli.progress import Progress
from doorward.cli.state_of import of_state, place
from doorward.messages.restored import Ended

_MOST = 50
"""Tokens that are listed; all of them are in the event."""


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Put aside what is in the state folder, in former-… in it.")
@click.option(
    "--keep-tokens",
    is_flag=True,
    help="Leave API tokens, app passwords and registration tokens alive, also those that were revoked since.",
)
@click.option(
    "--after-database",
    is_flag=True,
    help="The database itself was put back already (PostgreSQL): only end what it brought back to life.",
)
@click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The passphrase of an encrypted backup is the first line of this file.",
)
@of_state
def restore(
    file: Path | None,
    replace: bool,
    keep_tokens: bool,
    after_database: bool,
    passphrase_file: Path | None,
    config_file: Path | None,
    data: str | None,
) -> None:
    """Put the backup FILE into the state folder that --config or --data names.

    Stop the program first. FILE is checked whole before anything is touched. Everybody has to log in again: sessions,
    codes, tokens, remembered devices and links in letters end. API tokens and app passwords are disabled, because the
    backup cannot know which of them were revoked after it was made.

    \b
    Examples:
      doorward restore doorward-2026-11-26.backup --config /etc/doorward/doorward.yml
      doorward restore doorward.backup --data /srv/doorward --replace
      doorward restore --after-database --config /etc/doorward/doorward.yml
    """
    if after_database == bool(file):
        raise click.UsageError("Name a FILE, or say --after-database.")
    try:
        if file is None:
            plan, folder = place(config_file, data)
            _tell(restoring.after_database(plan, folder, keep_tokens=keep_tokens))
            return
        if config_file is None and data is None:
            raise click.UsageError("Say where to: --config or --data.")
        plan_or_none = plan_of(config_file.absolute()) if config_file is not None else None
        target = Path(plan_or_none.state_folder if plan_or_none is not None else data or "").absolute()
        restored = restoring.restore(
            file,
            target,
            plan_or_none,
            passphrase=partial(passphrases.known, passphrase_file),
            replace=replace,
            keep_tokens=keep_tokens,
            progress=Progress(),
        )
    except restoring.CannotRestore as error:
        raise click.ClickException(str(error)) from error
    manifest = restored.manifest
    click.echo(
        f"Restored into {target}: the backup of {manifest.created:%Y-%m-%d %H:%M:%S} UTC, version {manifest.version}."
    )
    if restored.former is not None:
        click.echo(f"What was there is in {restored.former}. It holds secrets; delete it when it is not needed.")
    _hint(target)
    if restored.ended is not None:
        _tell(restored.ended)
    else:
        click.echo(
            "The database is PostgreSQL's: put it back with pg_restore. The next start ends the sessions and tokens "
            "in it; so does doorward restore --after-database."
        )


def _hint(target: Path) -> None:
    """The configuration of a demonstration lies in its state folder, and says where that is."""
    config = target / "doorward.yml"
    if config.exists() and Path(plan_of(config).state_folder).absolute() != target:
        click.echo(f"{config} names another state folder, in identity.data: change it (doorward demo does it itself).")


def _tell(ended: Ended) -> None:
    counts = ", ".join(f"{number:,} {name}" for name, number in ended.counts.items())
    click.echo(f"Ended: {counts or 'nothing, there was nothing'}.")
    if ended.tokens:
        click.echo(
            "Alive, as you said; revoke those that were revoked after the backup:"
            if ended.kept
            else "Disabled, until an administrator sets another end, because they may have been revoked since:"
        )
        for token in ended.tokens[:_MOST]:
            click.echo(f"  {token}")
        if len(ended.tokens) > _MOST:
            click.echo(f"  ... and {len(ended.tokens) - _MOST} more")
    if ended.lost_events:
        click.echo(f"{ended.lost_events:,} events of after the backup are lost; what was known of them is kept aside.")
    click.echo(
        f"As they were on {ended.since:%Y-%m-%d %H:%M:%S} UTC, whatever was done since: passwords, factors, recovery "
        "codes, who is active, memberships, access, consents, keys. Look through them."
    )
