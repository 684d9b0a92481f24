"""What the identity child is told about a client: three facts, each with one value, and a request that is complete.

The child believes its private socket. So it is not given a chain to interpret: ``X-Forwarded-For`` is the client
alone, as this entry point judged it (S-103), beside ``-Proto`` and ``-Host``; every other field of that kind stays
here. Of the fields under the identity prefix it gets one, and it alone: the form token of its own pages.

The child has few connections, and forms are small: a body is collected here before one of them is used. Whoever sends
it a byte at a time holds up nobody else (S-902).

Not configured by anybody: routing puts it before the service ``identity@internal``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable

from doorward.messages.http import HttpAnswer
from doorward.proxy.answers import BODY_TOO_LARGE, failure_answer
from doorward.proxy.field_names import FORWARDING, NameTable
from doorward.proxy.request import BodyTooLarge, Request, ResponseHead

IDENTITY_SERVICE = "identity@internal"
LARGEST_BODY = 1 << 20
"""Bytes; a form or a JSON text is never larger."""
MOST_COLLECTED = 256
MOST_PER_CLIENT = 32
"""Bodies that are being collected at once: in all, and of one client."""

_BUSY = HttpAnswer(503, ((b"Retry-After", b"5"),))
_STATED = (b"x-forwarded-proto", b"x-forwarded-host")
_goes_on = NameTable(lambda name: name in _STATED or name not in FORWARDING)


class StateClientFacts:
    """Replaces the forwarding fields by the three facts, and waits for the body."""

    def __init__(self) -> None:
        self._collecting: Counter[str] = Counter()

    def enter(self, request: Request) -> HttpAnswer | Awaitable[HttpAnswer | None] | None:
        headers = [header for header in request.headers if _goes_on[header[0]]]
        if request.client:
            headers.append((b"X-Forwarded-For", request.client.encode("ascii", "replace")))
        if request.form_token:
            headers.append((b"X-authentik-CSRF", request.form_token))
        request.headers = headers
        if request.body_length == 0 or request.body is not None or request.read_body is None:
            return None
        if self._collecting.total() >= MOST_COLLECTED or self._collecting[request.client] >= MOST_PER_CLIENT:
            return _BUSY
        return self._collect(request)

    async def _collect(self, request: Request) -> HttpAnswer | None:
        assert request.read_body is not None
        self._collecting[request.client] += 1
        try:
            request.body = await request.read_body(LARGEST_BODY)
        except BodyTooLarge:
            return failure_answer(BODY_TOO_LARGE, request.first(b"accept") or b"", request.id)
        finally:
            self._collecting[request.client] -= 1
            if not self._collecting[request.client]:
                del self._collecting[request.client]
        return None

    def leave(self, request: Request, response: ResponseHead) -> None:
        pass
