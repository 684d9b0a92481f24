"""Where a rule asks for the method, no field may change the method behind our back (S-122).

Not configured by anybody: routing puts it in front of every router whose rule has a ``Method`` matcher.
"""

from __future__ import annotations

from doorward.messages.http import HttpAnswer
from doorward.proxy.field_names import METHOD_OVERRIDES
from doorward.proxy.request import ALWAYS, Check, Request, ResponseHead


class DropMethodOverride:
    """Deletes ``X-HTTP-Method-Override`` and its kin."""

    steady = True

    def enter(self, request: Request) -> HttpAnswer | None:
        if any(name.lower() in METHOD_OVERRIDES for name, _ in request.headers):
            request.headers = [header for header in request.headers if header[0].lower() not in METHOD_OVERRIDES]
        return None

    def regards(self, name: bytes) -> bool:
        return name in METHOD_OVERRIDES

    def rehearse(self, request: Request) -> Check | None:
        self.enter(request)
        return ALWAYS

    def leave(self, request: Request, response: ResponseHead) -> None:
        pass
