"""What it means for a request that an HTTP/2 server, or we, gave up its stream."""

from __future__ import annotations

from doorward.net.upstream import Garbage, Refused, UpstreamError
from doorward.wire.http2 import ErrorCode, StreamReset


class Cancelled(UpstreamError):
    """The server reset the stream, after it may have done something."""


def failure_of(event: StreamReset) -> UpstreamError:
    """Why the request was not answered."""
    if not event.by_peer:
        return Garbage(event.reason)
    if event.code == ErrorCode.REFUSED_STREAM:
        return Refused("the server did not look at it")
    try:
        name = ErrorCode(event.code).name
    except ValueError:
        name = f"{event.code:#x}"
    return Cancelled(f"the server gave it up: {name}")
