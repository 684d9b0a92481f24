"""The head of a request as a server gets it: framing written anew out of facts, never copied."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.messages.http import Header
from doorward.proxy.downstream import Downstream
from doorward.proxy.request import Request
from doorward.proxy.services.server import Server
from doorward.wire.http1.write import checked_line, field_block

_WITH_BODY = frozenset((b"POST", b"PUT", b"PATCH"))
"""Methods whose requests say ``Content-Length: 0`` when they have no body (RFC 9110 section 8.6)."""
_OURS = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"keep-alive",
        b"upgrade",
        b"expect",
        b"te",
        b"trailer",
        b"proxy-connection",
    )
)
"""Written by us alone, whatever a middleware put among the fields."""


def upstream_head(request: Request, downstream: Downstream, server: Server, streamed: bool) -> bytes:
    """What goes to ``server`` before the body; ``streamed``: the body follows as it comes. Raises UnsafeField."""
    target = server.prefix + request.path
    if request.query is not None:
        target += b"?" + request.query
    line = checked_line(b"%b %b HTTP/1.1" % (request.method, target))
    host = server.authority or request.authority or server.pool.origin.authority
    length = request.body_length if request.body is None else len(request.body)
    headers: Sequence[Header] = request.headers
    if request.hop_by_hop:
        headers = [header for header in headers if header[0].lower() not in request.hop_by_hop]
    if length == 0 and request.method not in _WITH_BODY and not request.websocket:
        # The same client asks the same with the same fields again and again.
        memory = downstream.forwarded
        return line + (memory.recall(headers, host) or memory.keep(headers, host, field_block(_fields(headers, host))))
    framing = _framing(request, downstream, length, streamed)
    return line + field_block(_fields(headers, host) + framing)


def _fields(headers: Sequence[Header], host: bytes) -> list[Header]:
    return [(b"Host", host), *(header for header in headers if header[0].lower() not in _OURS)]


def _framing(request: Request, downstream: Downstream, length: int | None, streamed: bool) -> list[Header]:
    """What says where the body ends, or that this connection is to become another."""
    if request.websocket:
        return [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
    fields = [(b"Transfer-Encoding", b"chunked") if length is None else (b"Content-Length", b"%d" % length)]
    if streamed and downstream.head.expect_continue:
        fields.append((b"Expect", b"100-continue"))
    return fields
