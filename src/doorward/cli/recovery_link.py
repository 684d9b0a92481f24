"""``doorward recovery-link``: a way in for somebody who has lost theirs, on the machine itself."""

from __future__ import annotations

from pathlib import Path

import click

from doorward.assembly import recovering
from doorward.assembly.state_folder import StateFolder
from doorward.cli.demo import default_data
from doorward.cli.plans import plan_of


@click.command("recovery-link")
@click.argument("username", metavar="[USER]", default="akadmin")
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Static configuration.  [default: doorward.yml in the state folder]",
)
@click.option("--data", help="State folder, when its own doorward.yml is the configuration.  [default: the demo's]")
def recovery_link(username: str, config_file: Path | None, data: str | None) -> None:
    """Print a link with which USER (akadmin when not given) chooses a new password.

    It is good once, for half an hour, and kills an earlier one. It works while the program runs and while it is
    stopped (then the link is good from the next start on), for whoever owns the state folder. The events say that it
    was made.

    \b
    Examples:
      doorward recovery-link
      doorward recovery-link bob --config /etc/doorward/doorward.yml
    """
    config = config_file or Path(data or default_data()) / "doorward.yml"
    if not config.exists():
        raise click.ClickException(f"{config} does not exist. Name the configuration with --config.")
    plan = plan_of(config.absolute())
    folder = Path(plan.state_folder)
    try:
        click.echo(recovering.link(plan, StateFolder(folder, folder / "run"), username))
    except recovering.NoWayIn as error:
        raise click.ClickException(str(error)) from error
