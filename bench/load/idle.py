"""Connections that have made one request and are kept, plain and TLS."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

from chains.chain import HOST


class Idle:
    """Holds connections open; use it as a context manager."""

    def __init__(self, fields: Sequence[str], ca: Path) -> None:
        self._request = "\r\n".join(["GET / HTTP/1.1", *fields, "", ""]).encode()
        self._context = ssl.create_default_context(cafile=str(ca))
        self._held: list[socket.socket] = []

    def __enter__(self) -> Idle:
        return self

    def __exit__(self, *failure: object) -> None:
        for connection in self._held:
            connection.close()

    def hold(self, port: int, number: int, *, tls: bool = False) -> None:
        """Open that many more, each with one request. Raises ValueError for an answer that is no success."""
        for _ in range(number):
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                connection = self._context.wrap_socket(connection, server_hostname=HOST)
            self._held.append(connection)
            self._use(connection)

    def use_all(self) -> int:
        """One more request on each. How many connections there are. Raises ValueError or OSError."""
        for connection in self._held:
            self._use(connection)
        return len(self._held)

    def _use(self, connection: socket.socket) -> None:
        connection.sendall(self._request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.read()
        if answer.status != 200:
            raise ValueError(f"an idle connection was answered {answer.status}")
