"""The head of a request as the rest of the program sees it."""

from __future__ import annotations

from dataclasses import dataclass

from doorward.messages.http import Header


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request line and its fields, validated. Shared between equal requests: never changed."""

    method: bytes
    target: bytes
    """As it stood on the request line."""
    path: bytes
    """Canonical (S-201), starts with ``/``; ``*`` only for ``OPTIONS *``."""
    query: bytes | None
    """Raw, without the question mark; None when the target had none."""
    version: bytes
    """``HTTP/1.1`` or ``HTTP/1.0``."""
    headers: tuple[Header, ...]
    """Every field in the order received, names as written, connection fields and Host included."""
    host: bytes
    """Lower case, without port and trailing dot; empty when an HTTP/1.0 request named none."""
    authority: bytes
    """Host as to be passed on: lower case, port kept, trailing dot dropped."""
    body_length: int | None
    """Bytes of body that follow: 0 for none, None for chunked."""
    keep_alive: bool
    """The client wants to go on using the connection."""
    expect_continue: bool
    """The client waits for ``100 Continue`` before it sends the body."""
    connection: frozenset[bytes]
    """The tokens of every ``Connection`` field, lower case."""
    websocket: bool
    """A valid WebSocket handshake (RFC 6455 section 4.2.1)."""
