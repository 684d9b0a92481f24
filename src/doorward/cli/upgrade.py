"""``doorward upgrade``: this version takes over from the running one, and no connection is lost."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

import click

from doorward import __version__
from doorward.assembly import upgrading
from doorward.cli.demo import default_data
from doorward.cli.launch import program
from doorward.cli.plans import plan_of, read_static
from doorward.messages.handover import Running
from doorward.messages.plan import Plan


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Static configuration to run from now on.  [default: the one that runs]",
)
@click.option("--data", help="State folder of the running program.  [default: that of --config, or the demo's]")
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    type=click.FloatRange(1, 3600),
    help="Seconds in which the new version must be ready.",
)
def upgrade(config_file: Path | None, data: str | None, timeout: float) -> None:
    """Replace the running program by the version that this command belongs to, without losing a connection.

    The new version starts beside the running one with the same listening sockets. When it is ready, the old one
    accepts nothing more, finishes what is under way (within graceTimeOut) and ends. When the new one is not ready in
    time, or cannot start, it is ended, the old one goes on as if nothing had happened, and this command says why.

    Also for a changed static configuration: entry points, number of workers, limits.

    \b
    Examples:
      doorward upgrade --config /etc/doorward/doorward.yml
      /opt/doorward-2/bin/doorward upgrade --config /etc/doorward/doorward.yml --timeout 120
      doorward upgrade --data ~/.local/state/doorward-demo
    """
    if data is None:
        data = _folder_of(config_file) if config_file is not None else default_data()
    begun = time.monotonic()
    try:
        done = upgrading.upgrade(
            Path(data).absolute(), partial(_plan, config_file), program(), timeout, partial(click.echo, err=True)
        )
    except upgrading.NothingRuns as error:
        raise click.ClickException(f"{error}. Start it with doorward serve.") from error
    except upgrading.Refused as error:
        raise click.ClickException(f"nothing was taken over, the running version goes on: {error}") from error
    seconds = time.monotonic() - begun
    click.echo(f"Version {__version__} has taken over as process {done.pid} after {seconds:.1f} s.", file=sys.stdout)


def _folder_of(config_file: Path) -> str:
    static = read_static(config_file)
    assert static.identity is not None
    return static.identity.data


def _plan(config_file: Path | None, running: Running) -> Plan:
    return plan_of((config_file or Path(running.config_file)).absolute(), running.demo)
