"""HTTP as data, for the places where one room puts a question to another without a socket between them.

The proxy asks the outpost in the same process ("fused") with exactly the message that it would otherwise send to
it over HTTP, and gets exactly the answer that it would otherwise read. Both wings know these two types and not
each other.
"""

from __future__ import annotations

from dataclasses import dataclass

Header = tuple[bytes, bytes]
"""Field name as it stands on the wire (case kept) and its value without surrounding white space."""


@dataclass(frozen=True, slots=True)
class HttpQuestion:
    """A complete request with its body, small enough to be held in memory."""

    method: bytes
    target: bytes
    """Origin-form: path and query, as on the request line."""
    headers: tuple[Header, ...]
    body: bytes = b""
    peer: str = ""
    """Address of the socket's other end (``127.0.0.1``, ``::1``); empty for a Unix socket."""
    trusted: bool = False
    """The peer may speak for the client: its ``X-Forwarded-*`` fields are facts (always so when fused)."""
    tls: bool = False
    """The question itself came over TLS."""
    request_id: bytes = b""
    """Name of the request in logs, on pages and in events; empty where it has none."""
    client: str = ""
    """Address of the client, as our own proxy has found it out with the proxies that it trusts; empty: nobody has."""

    def first(self, name: bytes) -> bytes | None:
        """The first value of the field ``name`` (given in lower case), or None."""
        for field, value in self.headers:
            if field.lower() == name:
                return value
        return None

    def values(self, name: bytes) -> list[bytes]:
        """All values of the field ``name`` (given in lower case), in order."""
        return [value for field, value in self.headers if field.lower() == name]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete final response. ``Content-Length`` and ``Date`` are the writer's business, not stated here."""

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes = b""
