"""How answers look in a terminal: labels and facts in columns, colours where somebody sees them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

import click

WIDTH = 14
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

GOOD, BAD, DOUBT, PLAIN = "green", "red", "yellow", "cyan"


def safe(text: str) -> str:
    """``text`` without what could steer a terminal."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def fact(label: str, text: str, colour: str = "") -> None:
    """One line, if there is anything to say."""
    if text:
        shown = safe(text)
        click.echo(f"{click.style(label.ljust(WIDTH), dim=True)} {click.style(shown, fg=colour) if colour else shown}")


def heading(text: str) -> None:
    click.echo()
    click.secho(safe(text), bold=True)


def lines(texts: Iterable[tuple[str, str]]) -> None:
    """Sign and text, one below the other."""
    for sign, text in texts:
        colour = {"✓": GOOD, "✗": BAD, "!": DOUBT}.get(sign, PLAIN)
        click.echo(f"  {click.style(sign, fg=colour)} {safe(text)}")


def moment(seconds: float) -> str:
    """A time as the machine's clock shows it."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z") if seconds else ""
