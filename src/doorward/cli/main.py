"""``doorward``: the command line. Each command is one file; this one only lists them.

A command's file is read when the command is wanted: ``doorward outpost`` does not wait for what ``doorward doctor``
needs, and the other way round.
"""

from __future__ import annotations

from importlib import import_module

import click

from doorward import __version__

COMMANDS = {
    "demo": "demo:demo",
    "serve": "serve:serve",
    "upgrade": "upgrade:upgrade",
    "backup": "backup:backup",
    "restore": "restore:restore",
    "generate-secret": "generate_secret:generate_secret",
    "rotate-secret-key": "rotate_secret_key:rotate_secret_key",
    "recovery-link": "recovery_link:recovery_link",
    "outpost": "outpost:outpost",
    "users": "users:users",
    "blueprint": "blueprint:blueprint",
    "events": "events:events",
    "import": "importing:import_",
    "check": "check:check",
    "access": "access:access",
    "doctor": "doctor:doctor",
    "explain": "explain:explain",
    "headers": "headers:headers",
    "ca": "authority:ca",
    "whoami": "whoami:whoami",
}
"""By name: the file under ``doorward.cli``, and the command in it."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        file, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(f"doorward.cli.{file}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="doorward")
def main() -> None:
    """Authentication in front of any web application: reverse proxy, outpost and identity provider in one.

    \b
    Examples:
      doorward demo                          a protected application on this machine, in seconds
      doorward check --config doorward.yml   is this configuration right?
      doorward serve --config doorward.yml   the real thing
      doorward upgrade --config doorward.yml a new version takes over from the running one
      doorward backup doorward.backup        everything in one file, while it runs
      doorward doctor https://app.example.com   what is wrong with the way to it?
      doorward outpost --config outpost.yml  only the outpost, with anybody's identity provider
    """
