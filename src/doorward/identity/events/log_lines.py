"""One JSON line per log record on standard error: times in UTC, no line breaks, no field over 4 KiB (S-620)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorward.identity.events.models import Event

_LONGEST = 4096
_log = logging.getLogger("doorward.events")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


class JsonLines(logging.Formatter):
    """``{"time", "level", "logger", "event", …}``; ``ensure_ascii`` escapes what could steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _cut(record.getMessage()),
        }
        facts = getattr(record, "facts", None)
        if isinstance(facts, dict):
            line.update(facts)
        if record.exc_info:
            line["exception"] = _cut(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=True, default=str)


def log_event(event: Event, request_id: str) -> None:
    """The event as a log line."""
    context = json.dumps(event.context, ensure_ascii=True, default=str)
    facts = {
        "action": event.action,
        "app": event.app,
        "user": event.user,
        "client_ip": event.client_ip,
        "request_id": request_id,
        # Over the limit the text is cut and no longer JSON: then it is shown as what it is, a text.
        "context": event.context if len(context) <= _LONGEST else _cut(context),
    }
    _log.info("%s", event.action, extra={"facts": facts})
