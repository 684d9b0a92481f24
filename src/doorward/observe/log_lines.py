"""One JSON line per log record on standard error: times in UTC, no line breaks, no field over 4 KiB (S-620).

Every process of the program writes its log this way. A rejected request, a cut connection or a page shown to a user
is a record of level ``info`` (S-052): without a handler of our own Python would drop it.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

LONGEST = 4096


def cut(text: str) -> str:
    """``text``, at most ``LONGEST`` characters of it."""
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


class JsonLines(logging.Formatter):
    """``{"time", "level", "logger", "event", …}``; ``ensure_ascii`` escapes what could steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
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
            line["exception"] = cut(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=True, default=str)


def to_standard_error() -> None:
    """Send what this process logs to standard error: our own records from ``info`` on, libraries' from ``warning``."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("doorward").setLevel(logging.INFO)
