"""What a failed attempt at a server means: may the request be sent again (S-920), and what is its client told?"""

from __future__ import annotations

from doorward.net.upstream import ConnectTimeout, Lost, Refused, Untrusted, UpstreamError
from doorward.proxy.answers import BAD_GATEWAY, GATEWAY_TIMEOUT, SERVER_ERROR, Failure
from doorward.proxy.request import Request
from doorward.proxy.resending import Resending

_HARMLESS = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))


class HeaderTimeout(UpstreamError):
    """The response did not begin within ``responseHeaderTimeout``."""


class UnsafeRequest(UpstreamError):
    """The request holds a field that would break out of its line: nothing was sent (S-045)."""


def may_be_repeated(request: Request) -> bool:
    """Whether ``request`` may be sent although it was sent before: idempotent by its method, and without a body."""
    return request.method in _HARMLESS and (request.body_length == 0 or request.body == b"")


def may_be_sent_again(
    request: Request, error: UpstreamError, *, reused: bool, started: bool, resending: Resending | None
) -> bool:
    """Whether ``request`` may be sent once more after ``error``.

    ``reused``: on a connection that was kept. ``started``: the client has some of the response. ``resending`` is what
    an HTTP/2 server was sent of it; None for HTTP/1.
    """
    if isinstance(error, Refused):
        return resending is not None and not started and resending.may_go_on
    if not isinstance(error, Lost) or not error.untouched or not reused:
        return False
    return may_be_repeated(request) and (resending is None or resending.times == 0)


def failure_for(error: UpstreamError) -> Failure:
    """What a client is told that waited for this."""
    if isinstance(error, ConnectTimeout | HeaderTimeout):
        return GATEWAY_TIMEOUT
    if isinstance(error, Untrusted | UnsafeRequest):
        return SERVER_ERROR
    return BAD_GATEWAY
