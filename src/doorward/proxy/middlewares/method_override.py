"""Where a rule asks for the method, no field may change the method behind our back (S-122).

Not configured by anybody: routing puts it in front of every router whose rule has a ``Method`` matcher.
"""

from __future__ import annotations

from doorward.messages.http import HttpAnswer
from doorward.proxy.field_names import METHOD_OVERRIDES
from doorward.proxy.request import Request, ResponseHead


class DropMethodOverride:
    """Deletes ``X-HTTP-Method-Override`` and its kin."""

    def enter(self, request: Request) -> HttpAnswer | None:
        if any(name.lower() in METHOD_OVERRIDES for name, _ in request.headers):
            request.headers = [header for header in request.headers if header[0].lower() not in METHOD_OVERRIDES]
        return None

    def leave(self, request: Request, response: ResponseHead) -> None:
        pass
