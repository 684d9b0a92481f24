"""Checkpoints: where the chain stood, written down outside the database.

A chain that was cut short at its end, or a database that was put back to yesterday, is a perfect chain: only somebody
who remembers how long it was can tell. So each time something was sealed, the number and MAC of the newest link go
into a file of the state folder, and once an hour into the log, from where they may go to another machine. Old lines of
the file are thinned out to one a day.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from django.conf import settings

from doorward.identity.events.chain import Place

FILE = "event-checkpoints.jsonl"
LOST = "event-checkpoints.lost.jsonl"
"""What was known of links that went with a restored database."""
NEWEST_KEPT = 60
"""Lines; of older ones, the last of each day."""
_log = logging.getLogger("doorward.events")


class Checkpoint(msgspec.Struct, frozen=True):
    """The chain had a link of this number with this MAC."""

    number: int
    mac: str
    at: datetime


class Told(NamedTuple):
    hour: str = ""


_told = [Told()]


def path() -> Path:
    folder = settings.DATA
    assert isinstance(folder, Path)
    return folder / FILE


def read() -> list[Checkpoint]:
    """All that the file holds, oldest first. Raises OSError, ValueError if somebody wrote something else into it."""
    try:
        lines = path().read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=Checkpoint) for line in lines if line.strip()]


def publish(place: Place) -> None:
    """Write down that the chain has come so far. Never raises: sealing goes on where the disk is full."""
    newest = Checkpoint(place[0], place[1], datetime.now(UTC))
    hour = f"{newest.at:%Y-%m-%d %H}"
    if _told[0].hour != hour:
        _told[0] = Told(hour)
        _log.info("events are sealed", extra={"facts": {"checkpoint": f"{newest.number}:{newest.mac}"}})
    try:
        _write([*_thinned(read()), newest])
    except (OSError, ValueError) as error:
        _log.error("the checkpoint of the events cannot be written to %s: %s", path(), error)


def set_aside(lost: list[Checkpoint]) -> None:
    """Move these lines to the end of a file of their own: the operator has put back a database without them."""
    aside = path().with_name(LOST)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lost))
        file.flush()
        os.fsync(file.fileno())
    _write([line for line in read() if line not in lost])


def _thinned(kept: list[Checkpoint]) -> list[Checkpoint]:
    old, new = kept[:-NEWEST_KEPT], kept[-NEWEST_KEPT:]
    return [*{f"{each.at:%Y-%m-%d}": each for each in old}.values(), *new]


def _write(lines: list[Checkpoint]) -> None:
    part = path().with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())
    part.rename(path())
