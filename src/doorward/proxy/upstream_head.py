"""The head of a request as a server gets it: framing written anew out of facts, never copied."""

from __future__ import annotations

from collections.abc import Sequence

from doorward.messages.http import Header
from doorward.net.http2_call import Question
from doorward.proxy.downstream import Downstream
from doorward.proxy.request import Request
from doorward.proxy.request_ids import FIELD
from doorward.proxy.services.server import Server
from doorward.wire.http1.write import checked_line, field_block
from doorward.wire.http2 import fields_block

_WITH_BODY = frozenset((b"POST", b"PUT", b"PATCH"))
"""Methods whose requests say ``Content-Length: 0`` when they have no body (RFC 9110 section 8.6)."""
OURS = frozenset(
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
        FIELD,
    )
)
"""Written by us alone, whatever a middleware put among the fields."""

NAMED = b"\r\nX-Request-Id: "
"""Between the request line and the request's name, before all other fields."""

_TRAILERS: list[Header] = [(b"TE", b"trailers"), (b"Connection", b"TE")]
"""The client reads fields after the body, so the server may send some (RFC 9110 section 10.1.4)."""


def upstream_head(request: Request, downstream: Downstream, server: Server, streamed: bool) -> bytes:
    """What goes to ``server`` before the body; ``streamed``: the body follows as it comes. Raises UnsafeField."""
    target = server.prefix + request.path
    if request.query is not None:
        target += b"?" + request.query
    # Beside the block of fields, which is the same for many requests.
    line = checked_line(b"%b %b HTTP/1.1" % (request.method, target)) + NAMED + request.id
    host = host_for(request, server)
    length = request.body_length if request.body is None else len(request.body)
    headers = _end_to_end(request)
    if length == 0 and request.method not in _WITH_BODY and not request.websocket:
        # The same client asks the same with the same fields again and again.
        memory, trailers = downstream.forwarded, downstream.head.wants_trailers
        facts = (host, b"te") if trailers else host
        block = memory.recall(headers, facts)
        if block is None:
            fields = plain_fields(headers, host)
            block = memory.keep(headers, facts, field_block(fields + _TRAILERS if trailers else fields))
        return line + block
    framing = _framing(request, downstream, length, streamed)
    return line + field_block(plain_fields(headers, host) + framing)


def upstream_question(request: Request, downstream: Downstream, server: Server, streamed: bool) -> Question:
    """The same for a server that speaks HTTP/2. Raises UnsafeField."""
    target = server.prefix + request.path
    if request.query is not None:
        target += b"?" + request.query
    origin = server.pool.origin
    length = request.body_length if request.body is None else len(request.body)
    fields, memory = _end_to_end(request), downstream.forwarded
    encoded = memory.recall(fields, b"HTTP/2")
    if encoded is None:
        block = fields_block(header for header in fields if header[0].lower() not in OURS)
        encoded = memory.keep(fields, b"HTTP/2", block)
    headers: list[Header] = [(FIELD, request.id)]
    if length or (length == 0 and request.method in _WITH_BODY):
        headers.append((b"content-length", b"%d" % length))
    if streamed and downstream.head.expect_continue:
        headers.append((b"expect", b"100-continue"))
    return Question(
        request.method,
        b"https" if origin.scheme == "https" else b"http",
        host_for(request, server),
        target,
        headers,
        downstream.head.wants_trailers,
        encoded,
    )


def host_for(request: Request, server: Server) -> bytes:
    """The ``Host`` that ``server`` is asked for."""
    return server.authority or request.authority or server.pool.origin.authority


def onward_fields(request: Request, host: bytes) -> list[Header]:
    """The fields that go onwards, save those that frame a body."""
    return [(b"X-Request-Id", request.id), *plain_fields(_end_to_end(request), host)]


def _end_to_end(request: Request) -> Sequence[Header]:
    if request.hop_by_hop:
        return [header for header in request.headers if header[0].lower() not in request.hop_by_hop]
    return request.headers


def plain_fields(headers: Sequence[Header], host: bytes) -> list[Header]:
    """What follows the request line and the request's name where there is no body."""
    return [(b"Host", host), *(header for header in headers if header[0].lower() not in OURS)]


def _framing(request: Request, downstream: Downstream, length: int | None, streamed: bool) -> list[Header]:
    """What says where the body ends, or that this connection is to become another."""
    if request.websocket:
        return [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
    fields = list(_TRAILERS) if downstream.head.wants_trailers else []
    fields += [(b"Transfer-Encoding", b"chunked") if length is None else (b"Content-Length", b"%d" % length)]
    if streamed and downstream.head.expect_continue:
        fields.append((b"Expect", b"100-continue"))
    return fields
