"""``doorward ca``: print or install the certificate of the local authority."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.assembly import local_ca, state_folder, trust
from doorward.cli.demo import default_data


@click.command()
@click.option("--data", default=default_data, show_default="the demo's state folder", help="State folder.")
@click.option("--install", is_flag=True, help="Let this machine trust it (system store as root, Chromium's as you).")
def ca(data: str, install: bool) -> None:
    """Print the local certificate authority's certificate, or install it so that browsers trust it.

    \b
    Examples:
      doorward ca > doorward-ca.pem
      doorward ca --install
      curl --cacert <(doorward ca) https://whoami.localhost:8443
    """
    folder = Path(data).absolute()
    try:
        state_folder.make(folder)
        authority = local_ca.ensure(folder / "ca")
    except (state_folder.StateFolderUnusable, local_ca.LocalAuthorityBroken) as error:
        raise click.ClickException(str(error)) from error
    if install:
        click.echo(str(trust.install(authority)))
    else:
        click.echo(authority.certificate_pem, nl=False)
