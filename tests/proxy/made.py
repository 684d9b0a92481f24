"""Heads and requests as the tests of this room need them, parsed by the real parser."""

from __future__ import annotations

from collections.abc import Iterable

from doorward.messages.entry_points import EntryPoint
from doorward.messages.http import Header
from doorward.proxy.forwarding import Admission
from doorward.proxy.request import ConnectionFacts, Request
from doorward.wire.http1.limits import Limits
from doorward.wire.http1.request import HeadParser, RequestHead

HOST: Header = (b"Host", b"app.example.test")
HANDSHAKE: tuple[Header, ...] = (
    (b"Connection", b"Upgrade"),
    (b"Upgrade", b"websocket"),
    (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    (b"Sec-WebSocket-Version", b"13"),
)


def head(*headers: Header, method: bytes = b"GET", target: bytes = b"/", host: Header = HOST) -> RequestHead:
    """A head as it comes from the wire."""
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in (host, *headers))
    return HeadParser(Limits(), False).parse(method + b" " + target + b" HTTP/1.1\r\n" + lines + b"\r\n")


def admitted(
    *headers: Header,
    method: bytes = b"GET",
    target: bytes = b"/",
    host: Header = HOST,
    peer: str = "192.0.2.7",
    tls: bool = False,
    trusted: Iterable[str] = (),
    insecure: bool = False,
    aliases: str = "delete",
    named: bool = True,
) -> Request:
    """A request that came in at the entry point ``web``; ``named``: with a name that is always the same."""
    entry_point = EntryPoint("web", "", 80, trusted_ips=tuple(trusted), insecure=insecure, alias_headers=aliases)
    made = head(*headers, method=method, target=target, host=host)
    request = Admission(entry_point, "proxy-1").admit(made, ConnectionFacts(peer, 80, tls))
    if named:
        request.id = b"7" * 32
    return request


def values(request: Request, name: bytes) -> list[bytes]:
    """Every value of the field ``name`` (lower case)."""
    return [value for field, value in request.headers if field.lower() == name]
