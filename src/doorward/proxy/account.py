"""What one exchange amounts to: the numbers that the access log and the metrics are made of."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from doorward.messages.http import Header
from doorward.proxy.request import ConnectionFacts


class Account(Struct):
    entry_point: str
    method: bytes
    target: bytes
    """Canonical path and raw query."""
    version: bytes
    started: float
    """Monotonic seconds; ``started_at`` is the same moment in Unix seconds."""
    started_at: float
    client: str = ""
    peer: str = ""
    host: bytes = b""
    tls: bool = False
    request_id: bytes = b""
    protocol: str = "http"
    """``http``, ``sse``, ``grpc`` or ``grpc-web``; see ``websocket``."""
    connection: ConnectionFacts | None = None
    request_headers: Sequence[Header] = ()
    """As the entry point let them in, before any middleware: no identity field is among them."""
    user: str = "-"
    websocket: bool = False
    status: int = 0
    grpc_status: int | None = None
    """How a gRPC call ended, if its server said so."""
    received: int = 0
    """Bytes of request body."""
    sent: int = 0
    """Bytes of response body."""
    router: str = ""
    service: str = ""
    server: str = ""
    """URL of the server that was asked."""
    origin_status: int = 0
    origin_seconds: float = 0.0
    retries: int = 0
    origin_headers: Sequence[Header] = ()
    """As the server sent them."""
    response_headers: Sequence[Header] = ()
    """As the client got them, without what the connection adds."""
    denial: str = ""
    """How an auth server ended it, if one did."""
    seconds: float = 0.0
    """How long it took."""
