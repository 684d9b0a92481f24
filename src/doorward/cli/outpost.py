"""``doorward outpost``: an outpost on its own, from one small file or the environment."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from doorward.cli import outpost_plan
from doorward.cli.launch import become
from doorward.config.problems import ConfigurationError


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="DOORWARD_OUTPOST_CONFIG",
    help="Configuration file (YAML or TOML). Without one the environment must say everything.",
)
@click.option("--check", is_flag=True, help="Only say whether the configuration can be used.")
def outpost(config_file: Path | None, check: bool) -> None:
    """Run an outpost on its own: it asks people to log in at any OpenID Connect provider, or at a Doorward elsewhere.

    It answers other proxies (forward auth), or stands in front of applications itself. Every option of the file can be
    in the environment as well: issuer.clientId is DOORWARD_OUTPOST_ISSUER_CLIENT_ID. AUTHENTIK_HOST, AUTHENTIK_TOKEN
    and AUTHENTIK_INSECURE connect it to an identity provider. SIGHUP reads the file again, SIGTERM drains and stops.

    \b
    Examples:
      doorward outpost --config outpost.yml
      doorward outpost --config outpost.yml --check
      AUTHENTIK_HOST=https://auth.example.com AUTHENTIK_TOKEN=… doorward outpost
    """
    # Whoever wants the file read again while it is being read for the first time must not stop the program.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        plan = outpost_plan.read(config_file)
    except ConfigurationError as error:
        raise click.ClickException(f"the configuration cannot be used:\n{error}") from error
    if check:
        for warning in plan.warnings:
            click.echo(f"warning: {warning}")
        click.echo(f"{config_file or 'the environment'}: the configuration can be used.")
        return
    become("doorward.assembly.outpost_process", plan)
