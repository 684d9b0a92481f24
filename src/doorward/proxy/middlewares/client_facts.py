"""What the identity child is told about a client: three facts, each with one value.

The child believes its private socket. So it is not given a chain to interpret: ``X-Forwarded-For`` is the client
alone, as this entry point judged it (S-103), beside ``-Proto`` and ``-Host``; every other field of that kind stays
here. Of the fields under the identity prefix it gets one, and it alone: the form token of its own pages. Not
configured by anybody: routing puts it before the service ``identity@internal``.
"""

from __future__ import annotations

from doorward.messages.http import HttpAnswer
from doorward.proxy.answers import BODY_TOO_LARGE, failure_answer
from doorward.proxy.field_names import FORWARDING, NameTable
from doorward.proxy.request import Request, ResponseHead

IDENTITY_SERVICE = "identity@internal"
LARGEST_BODY = 1 << 20
"""Bytes; a form or a JSON text is never larger."""

_STATED = (b"x-forwarded-proto", b"x-forwarded-host")
_goes_on = NameTable(lambda name: name in _STATED or name not in FORWARDING)


class StateClientFacts:
    """Replaces the forwarding fields by the three facts, and refuses what the child would not read to its end."""

    def enter(self, request: Request) -> HttpAnswer | None:
        if (request.body_length or 0) > LARGEST_BODY:
            # The child says so too, but closes with our bytes unread: its answer may be lost on the way.
            return failure_answer(BODY_TOO_LARGE, request.first(b"accept") or b"")
        headers = [header for header in request.headers if _goes_on[header[0]]]
        if request.client:
            headers.append((b"X-Forwarded-For", request.client.encode("ascii", "replace")))
        if request.form_token:
            headers.append((b"X-authentik-CSRF", request.form_token))
        request.headers = headers
        return None

    def leave(self, request: Request, response: ResponseHead) -> None:
        pass
