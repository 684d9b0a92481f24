"""``doorward``: the command line. Each command is one file; this one only lists them."""

from __future__ import annotations

import click

from doorward import __version__
from doorward.cli.authority import ca
from doorward.cli.check import check
from doorward.cli.demo import demo
from doorward.cli.doctor import doctor
from doorward.cli.explain import explain
from doorward.cli.headers import headers
from doorward.cli.importing import import_
from doorward.cli.outpost import outpost
from doorward.cli.serve import serve
from doorward.cli.whoami import whoami


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="doorward")
def main() -> None:
    """Authentication in front of any web application: reverse proxy, outpost and identity provider in one.

    \b
    Examples:
      doorward demo                          a protected application on this machine, in seconds
      doorward check --config doorward.yml   is this configuration right?
      doorward serve --config doorward.yml   the real thing
      doorward doctor https://app.example.com   what is wrong with the way to it?
      doorward outpost --config outpost.yml  only the outpost, with anybody's identity provider
    """


for _command in (demo, serve, outpost, import_, check, doctor, explain, headers, ca, whoami):
    main.add_command(_command)
