"""Why somebody did not pass, in the log of an outpost on its own: one line under the id that they were shown.

A redirect to the login is what every first visit gets, and is not said.
"""

from __future__ import annotations

import logging

from doorward.messages.decisions import Decision

log = logging.getLogger(__name__)


def say_refusal(decision: Decision) -> None:
    """Log ``decision``, if it is more than a redirect."""
    if decision.status < 400:
        return
    facts = {
        "id": decision.id,
        "reason": decision.reason,
        "status": decision.status,
        "detail": decision.detail,
        "client": decision.client,
        "host": decision.host,
        "path": decision.path,
        "application": decision.application,
    }
    log.info("refused", extra={"facts": {name: value for name, value in facts.items() if value}})
