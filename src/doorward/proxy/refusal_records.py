"""What the proxy refuses by itself, as records for whoever asks why (``messages.decisions``)."""

from __future__ import annotations

import time
from collections.abc import Callable

from doorward.messages.decisions import Decision
from doorward.proxy.request import Request

_STATUS = {
    "no_router": 404,
    "broken_router": 503,
    "foreign_origin": 403,
    "auth_server_failed": 500,
    "session_over": 401,
}
_LONGEST = 512


class RefusalRecords:
    """Makes records, and gives each to ``tell``."""

    def __init__(self, tell: Callable[[Decision], None]) -> None:
        self._tell = tell

    def refused(self, request: Request, reason: str, detail: str) -> None:
        self._tell(
            Decision(
                id=request.id.decode("ascii"),
                at=time.time(),
                reason=reason,
                status=_STATUS[reason],
                answer="an error page of the proxy's own",
                detail=_short(detail),
                asked_by="proxy",
                peer=request.peer,
                trusted=request.trusted,
                client=request.client,
                method=_short(request.method.decode("latin-1")),
                scheme="https" if request.tls else "http",
                host=_short(request.authority.decode("latin-1")),
                path=_short(request.path.decode("latin-1")),
            )
        )


def _short(text: str) -> str:
    """``text`` cut, with what could steer a terminal escaped: it came from outside."""
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)
