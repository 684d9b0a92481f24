"""``doorward events``: whether what is written down was tampered with, and writing it out, on the machine itself."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from doorward.assembly import record
from doorward.cli.progress import Progress
from doorward.cli.state_of import of_state, place

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@click.group("events")
def events() -> None:
    """Verify the record of what happened, or write it out.

    It works while the program runs and while it is stopped, for whoever owns the state folder.

    \b
    Examples:
      doorward events verify
      doorward events export --format csv --since 7d > events.csv
      doorward events export --action login_failed --since 2026-11-01
    """


class _Moment(click.ParamType[datetime, object]):
    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """``7d``, ``12h``, or a date or time in UTC."""
        if isinstance(value, datetime):
            return value
        text = str(value)
        if text[:-1].isdecimal() and text[-1:] in _UNITS and len(text) < 6:
            return datetime.now(UTC) - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is no time; write it like 2026-11-01, 2026-11-01T12:30 or 7d", param, ctx)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


class _Checkpoint(click.ParamType[tuple[int, str], object]):
    name = "number:mac"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        """As the log and ``verify`` print it."""
        if isinstance(value, tuple):
            return value
        number, _, mac = str(value).partition(":")
        if not number.isdecimal() or len(mac) != 64:
            self.fail(f"{value!r} is no checkpoint: a number, a colon and 64 digits", param, ctx)
        return int(number), mac.lower()


@events.command("verify")
@click.option(
    "--checkpoint",
    "checkpoints",
    type=_Checkpoint(),
    multiple=True,
    help="One more place that the chain must have passed, from a log or a note. May be given again.",
)
@of_state
def verify(checkpoints: tuple[tuple[int, str], ...], config_file: Path | None, data: str | None) -> None:
    """Say whether events were changed, removed or put in since they were written.

    Prints what was found, a line each; the exit status is 1 if there was anything. The last line of a whole chain is
    its newest checkpoint: kept elsewhere, it shows later that the end was not cut off.
    """
    plan, folder = place(config_file, data)
    try:
        found = record.verify(plan, folder, checkpoints, Progress())
    except record.Unusable as error:
        raise click.ClickException(str(error)) from error
    for line in found.findings:
        click.echo(line)
    if found.more:
        click.echo(f"... and {found.more} more")
    click.echo(found.summary, err=True)
    if found.findings:
        raise SystemExit(1)
    click.echo("Nothing was tampered with." + (f" Checkpoint: {found.checkpoint}" if found.checkpoint else ""))


@events.command("export")
@click.option("--format", "kind", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--since", type=_Moment(), help="From then on: a time in UTC, or how long ago (30m, 12h, 7d, 4w).")
@click.option("--until", type=_Moment(), help="Up to then.")
@click.option("--action", default="", help="What happened, such as login_failed.")
@click.option("--user", "username", default="", help="Who did it: a user name.")
@click.option("--app", default="", help="The part of the program, or the beginning of its name.")
@click.option("--ip", "client_ip", default="", help="The client's address, or the beginning of one.")
@click.option("--text", default="", help="In names of users and objects, in addresses and messages.")
@of_state
def export(
    kind: str,
    since: datetime | None,
    until: datetime | None,
    config_file: Path | None,
    data: str | None,
    **wanted: str,
) -> None:
    """Print events, newest first, as JSON Lines or CSV. Secrets are not in them."""
    plan, folder = place(config_file, data)
    try:
        for line in record.export(plan, folder, kind, since=since, until=until, **wanted):
            sys.stdout.write(line)
        sys.stdout.flush()
    except record.Unusable as error:
        raise click.ClickException(str(error)) from error
