"""Events as log lines (``observe.log_lines`` says how a line looks)."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from doorward.observe.log_lines import LONGEST, JsonLines, cut

if TYPE_CHECKING:
    from doorward.identity.events.models import Event

__all__ = ["JsonLines", "log_event"]

_log = logging.getLogger("doorward.events")


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
        "context": event.context if len(context) <= LONGEST else cut(context),
    }
    _log.info("%s", event.action, extra={"facts": facts})
