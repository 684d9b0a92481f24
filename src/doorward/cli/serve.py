"""``doorward serve``: the real thing, from one configuration file."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.cli.launch import launch
from doorward.cli.plans import plan_of


@click.command()
@click.option(
    "--config",
    "config_file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Static configuration.",
)
def serve(config_file: Path) -> None:
    """Run proxy, outpost and identity provider as the configuration says.

    The file is Traefik's static configuration (entryPoints, providers.file, accessLog, metrics …) with a section
    `identity:` (externalUrl, data, database). SIGHUP reloads the routes, SIGUSR1 reopens the access log, SIGTERM
    drains and stops.

    \b
    Example:
      doorward serve --config /etc/doorward/doorward.yml
    """
    launch(plan_of(config_file.absolute()))
