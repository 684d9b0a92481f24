"""The passphrase of a backup: typed, or in a file; never on the command line, where others could see it."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.assembly.backups.sealing import SHORTEST_PASSPHRASE


def from_file(file: Path) -> str:
    """Its first line. Raises click.ClickException."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"the passphrase cannot be read from {file}: {error}") from error
    return lines[0] if lines else ""


def new(file: Path | None) -> str:
    """For a backup that is to be made. Raises click.ClickException for a short one."""
    text = from_file(file) if file else click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    if len(text) < SHORTEST_PASSPHRASE:
        raise click.ClickException(f"a passphrase has at least {SHORTEST_PASSPHRASE} characters")
    return str(text)


def known(file: Path | None) -> str:
    """For a backup that was made."""
    return from_file(file) if file else str(click.prompt("Passphrase", hide_input=True, err=True))
