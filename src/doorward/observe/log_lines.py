"""The program's own log: one line per record, times in UTC, no line breaks, no field over 4 KiB (S-620).

Every process of the program writes its log this way, as the ``log`` section of the static configuration says: in JSON
or in words, to standard error or to a file that all of them append to. A rejected request, a cut connection or a page
shown to a user is a record of level ``info`` (S-052): without a handler of our own Python would drop it.

With a file, standard error itself is that file, so that nothing that a library prints or a crash leaves is lost.
"""

from __future__ import annotations

import json
import logging
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType

LONGEST = 4096
LEVELS = {
    "TRACE": logging.DEBUG,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
    "PANIC": logging.CRITICAL,
}


@dataclass(slots=True)
class Chosen:
    """What this process was told about its log."""

    level: int = logging.INFO
    """Of our own records. Libraries say what is a warning or worse, whatever was chosen: more than that is about
    what they carry (S-802)."""
    format: str = "json"
    file: str = ""


chosen = Chosen()


def cut(text: str) -> str:
    """``text``, at most ``LONGEST`` characters of it."""
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


class JsonLines(logging.Formatter):
    """``{"time", "level", "logger", "event", …}``; ``ensure_ascii`` escapes what could steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_facts(self, record), ensure_ascii=True, default=str)


class PlainLines(logging.Formatter):
    """``2026-11-25T22:10:30.183Z INFO doorward.proxy: event key=value``; what is not printable is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        facts = _facts(self, record)
        time, level, name, event = (str(facts.pop(key)) for key in ("time", "level", "logger", "event"))
        more = "".join(f" {key}={_plain(value)}" for key, value in facts.items())
        return f"{time.replace('+00:00', 'Z')} {level.upper()} {name}: {_printable(event)}{more}"


def _facts(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, object]:
    line: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": cut(record.getMessage()),
    }
    facts = getattr(record, "facts", None)
    if isinstance(facts, dict):
        line.update(facts)
    if record.exc_info:
        line["exception"] = cut(formatter.formatException(record.exc_info))
    return line


def _plain(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return _printable(text) if text and " " not in text and '"' not in text else json.dumps(cut(text))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def formatter() -> logging.Formatter:
    """Writes lines as this process was told to."""
    return PlainLines() if chosen.format == "common" else JsonLines()


def start(level: str = "INFO", form: str = "json", file: str = "") -> None:
    """From now on this process logs like this. ``file``: also whatever it prints to standard error, and a SIGUSR1
    opens it again after it was moved away. Raises OSError when it cannot be opened."""
    chosen.level, chosen.format, chosen.file = LEVELS[level], form, file
    if file:
        reopen()
        signal.signal(signal.SIGUSR1, _on_signal)
    to_standard_error()


def to_standard_error() -> None:
    """Send what this process logs to standard error: our own records from the chosen level on, libraries' from
    ``warning``."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter())
    logging.basicConfig(level=max(logging.WARNING, chosen.level), handlers=[handler], force=True)
    logging.getLogger("doorward").setLevel(chosen.level)


def reopen() -> None:
    """Go on in the file of the chosen name, if one was chosen."""
    if chosen.file:
        descriptor = os.open(chosen.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        os.dup2(descriptor, 2, inheritable=True)
        os.close(descriptor)


def _on_signal(_number: int, _frame: FrameType | None) -> None:
    reopen()
