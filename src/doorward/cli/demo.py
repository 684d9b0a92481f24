"""``doorward demo``: a protected application on this machine, with nothing beside it."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import click

from doorward.assembly import demo_configuration, local_ca, state_folder
from doorward.cli.launch import launch
from doorward.cli.plans import plan_of
from doorward.messages.plan import DemoPlan


def default_data() -> str:
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return str(Path(home) / "doorward-demo")


@click.command()
@click.option("--http-port", default=8080, show_default=True, help="Port of the plain entry point.")
@click.option("--https-port", default=8443, show_default=True, help="Port of the TLS entry point.")
@click.option("--identity-port", default=9000, show_default=True, help="Port of the identity entry point.")
@click.option("--data", default=default_data, show_default="~/.local/state/doorward-demo", help="State folder.")
@click.option("--reset", is_flag=True, help="Forget everything that earlier runs kept in the state folder.")
@click.option("--json", "as_json", is_flag=True, help="Say that it is ready in one line of JSON.")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Data-plane workers. One is enough for a visitor; `serve` takes one per processor.",
)
def demo(
    http_port: int, https_port: int, identity_port: int, data: str, reset: bool, as_json: bool, workers: int
) -> None:
    """Run the whole scenario on this machine: proxy, outpost, identity provider and an application to protect.

    \b
    Examples:
      doorward demo
      doorward demo --https-port 10443 --data /tmp/doorward
      doorward demo --reset

    DOORWARD_BOOTSTRAP_PASSWORD, DOORWARD_BOOTSTRAP_TOKEN and DOORWARD_BOOTSTRAP_EMAIL set the first administrator's
    password, an API token and the e-mail address; they count on the first start of a state folder.
    """
    folder = Path(data).absolute()
    try:
        if reset:
            _reset(folder)
        state_folder.make(folder)
        authority = local_ca.ensure(folder / "ca")
    except (state_folder.StateFolderUnusable, local_ca.LocalAuthorityBroken) as error:
        raise click.ClickException(str(error)) from error
    ports = demo_configuration.Ports(http_port, https_port, identity_port, _free_port())
    config_file = demo_configuration.write(folder, ports, authority, workers)
    whoami = DemoPlan(ports.whoami, demo_configuration.whoami_url(ports), as_json)
    launch(plan_of(config_file, whoami))


def _reset(folder: Path) -> None:
    """Remove what a state folder holds; refuses a folder that is something else."""
    if not folder.exists():
        return
    known = {
        "doorward.sqlite3",
        "secret.key",
        "ca",
        "mail",
        "run",
        "lock",
        "prepare.lock",
        "blueprints",
        "templates",
        "event-checkpoints.jsonl",
        "event-checkpoints.lost.jsonl",
        "restore-pending.json",
        "restore-unfinished",
        "doorward.yml",
        "routes.yml",
    }
    found = {entry.name for entry in folder.iterdir()}
    strangers = {
        name for name in found if name not in known and not name.startswith(("doorward.sqlite3", "former-", "ca", "."))
    }
    if strangers:
        raise state_folder.StateFolderUnusable(
            f"{folder} holds files that are not a state folder's ({', '.join(sorted(strangers)[:3])}); "
            f"--reset removes nothing there. Remove it yourself or choose another with --data."
        )
    lock = state_folder.locked(folder)
    shutil.rmtree(folder)
    os.close(lock)


def _free_port() -> int:
    """A port for whoami on loopback that nobody else needs to know."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
