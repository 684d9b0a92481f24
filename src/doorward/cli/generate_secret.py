"""``doorward generate-secret``: a secret for a configuration, such as an outpost's ``cookie.secretFile``."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click


@click.command("generate-secret")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def generate_secret(file: Path | None) -> None:
    """Write 256 random bits, as 64 hexadecimal digits, to FILE, which only its owner can read; or print them.

    An existing FILE is left alone. The program's own secret.key is made by its first start.

    \b
    Examples:
      doorward generate-secret /etc/doorward/cookie.secret
      doorward generate-secret
    """
    secret = secrets.token_hex(32)
    if file is None:
        click.echo(secret)
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as new:
            new.write(secret + "\n")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be made: {error.strerror}") from error
    click.echo(f"A new secret is in {file}.")
