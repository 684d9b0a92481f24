"""A plain HTTP client for tests: sends exactly the given fields, follows nothing, resolves every name to loopback."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field.lower() == name.lower()]

    def one(self, name: str) -> str:
        """The value of a field that must be there exactly once."""
        values = self.all(name)
        assert len(values) == 1, f"{name}: {values} in {self}"
        return values[0]

    @property
    def text(self) -> str:
        return self.body.decode()


def ask(
    url: str,
    *,
    method: str = "GET",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    ca: Path | None = None,
    port: int | None = None,
    timeout: float = 20.0,
    source: str = "",
) -> Answer:
    """One request on a connection of its own, to loopback.

    Args:
        url: says scheme, host and path; the port unless ``port`` overrides it.
        method: the request's method.
        headers: sent as given; ``Host`` comes from the URL unless named here.
        body: sent with its length when not empty.
        ca: the authority to trust for https.
        port: connect here instead of where the URL says.
        timeout: seconds for each read and write.
        source: an address of loopback to come from, for whom it matters that clients differ.
    """
    parts = urlsplit(url)
    assert parts.hostname
    tls = parts.scheme == "https"
    connection: socket.socket = socket.create_connection(
        ("127.0.0.1", port or parts.port or (443 if tls else 80)),
        timeout=timeout,
        source_address=(source, 0) if source else None,
    )
    with connection:
        if tls:
            context = ssl.create_default_context(cafile=str(ca) if ca else None)
            connection = context.wrap_socket(connection, server_hostname=parts.hostname)
        with connection:
            connection.sendall(_request(parts.netloc, _target(parts.path, parts.query), method, headers, body))
            return _answer(connection, method)


def _target(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")


def _request(host: str, target: str, method: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    lines = [f"{method} {target} HTTP/1.1"]
    if not any(name.lower() == "host" for name, _ in headers):
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body


def _answer(connection: socket.socket, method: str) -> Answer:
    response = http.client.HTTPResponse(connection, method=method)
    try:
        response.begin()
        body = response.read()
        return Answer(response.status, tuple(response.getheaders()), body)
    finally:
        response.close()
