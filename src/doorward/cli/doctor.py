"""``doorward doctor``: goes a browser's way through whatever stands in front of an application, and names the fault."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click
import msgspec

from doorward.cli import paint
from doorward.doctor.examination import Examination
from doorward.doctor.findings import DOUBT, FAULT, GOOD, Finding, Report

_SIGNS = {GOOD: "✓", FAULT: "✗", DOUBT: "!"}


@click.command()
@click.argument("url", metavar="URL")
@click.option("--user", default="", help="Log in as this user as well; the password comes from --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the user's password from standard input.")
@click.option(
    "--ca", "ca_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An authority to trust (PEM)."
)
@click.option("--resolve", "resolves", multiple=True, metavar="HOST=ADDRESS", help="Do not look HOST up: it is there.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def doctor(
    url: str, user: str, password_stdin: bool, ca_file: Path | None, resolves: tuple[str, ...], as_json: bool
) -> None:
    """Open a protected application's URL as a browser does, through Traefik, nginx, Caddy or whatever is in front,
    and say what is wrong: names, certificates, redirects in circles, cookies that get lost, a wrong external URL,
    fields that the proxy does not hand on, clocks, an identity provider out of reach, or no login at all.

    With --user it logs in too, looks at what a whoami behind the proxy receives, and tries to forge it. Exits with 1
    when something is wrong.

    \b
    Examples:
      doorward doctor https://app.example.com
      doorward doctor https://app.example.com --user probe --password-stdin < password.txt
      doorward doctor https://whoami.localhost:8443 --ca ~/.local/state/doorward-demo/ca/ca.pem
    """
    if bool(user) is not password_stdin:
        raise click.UsageError("--user and --password-stdin go together")
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else ""
    examination = Examination(url, user, password, ca_file.read_text() if ca_file else "", _places(resolves))
    report = asyncio.run(_examined(examination, as_json))
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        _summary(report)
    raise SystemExit(1 if report.faults else 0)


def _places(resolves: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in resolves]
    if not all(host and address for host, _, address in pairs):
        raise click.UsageError("--resolve wants HOST=ADDRESS")
    return {host.lower(): address for host, _, address in pairs}


async def _examined(examination: Examination, as_json: bool) -> Report:
    found = []
    if not as_json:
        click.secho(f"Examining {paint.safe(examination.url)}", bold=True)
    async for finding in examination.findings():
        found.append(finding)
        if not as_json:
            _show(finding)
    return Report(examination.url, tuple(found))


def _show(finding: Finding) -> None:
    paint.lines(((_SIGNS.get(finding.verdict, "·"), finding.text),))
    if finding.remedy:
        click.echo(click.wrap_text(paint.safe(finding.remedy), 100, "      ", "      "))


def _summary(report: Report) -> None:
    click.echo()
    if report.faults:
        count = len(report.faults)
        click.secho(
            f"{count} {'fault' if count == 1 else 'faults'}: " + ", ".join(f.code for f in report.faults), fg="red"
        )
    else:
        click.secho("Nothing is wrong.", fg="green")
