"""Bytes to a port and bytes back: no client library between the test and the program."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_anybody.check_hostname = False
_anybody.verify_mode = ssl.CERT_NONE


@contextlib.contextmanager
def connected(port: int, tls: str = "", timeout: float = 10.0) -> Iterator[socket.socket]:
    """A connection to loopback; ``tls`` is the server name to ask for, empty for none. No certificate is judged."""
    connection: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            connection = _anybody.wrap_socket(connection, server_hostname=tls)
        with connection:
            yield connection


def until_closed(connection: socket.socket, timeout: float = 10.0) -> bytes:
    """Everything until the other side closes. Raises TimeoutError when it does not."""
    connection.settimeout(timeout)
    received = b""
    while True:
        try:
            data = connection.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            return received
        if not data:
            return received
        received += data


def sent(
    port: int, data: bytes | Sequence[bytes], *, tls: str = "", pause: float = 0.0, timeout: float = 10.0
) -> bytes:
    """Send ``data`` (in pieces, ``pause`` seconds apart) and give everything that comes back until the end."""
    pieces = [data] if isinstance(data, bytes) else data
    with connected(port, tls, timeout) as connection:
        with contextlib.suppress(OSError):
            for piece in pieces:
                connection.sendall(piece)
                if pause:
                    time.sleep(pause)
        return until_closed(connection, timeout)


@dataclass(frozen=True, slots=True)
class Response:
    """One response out of a stream of bytes."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field.lower() == name.lower()]

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")


def responses(data: bytes, methods: Sequence[str] = ()) -> list[Response]:
    """All responses in ``data``; raises AssertionError for anything that is not one after the other."""
    found: list[Response] = []
    for number in range(10_000):
        if not data:
            return found
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, head
        start, *lines = head.split(b"\r\n")
        assert start.startswith(b"HTTP/1."), start
        status = int(start[9:12])
        headers = tuple(
            (name.decode("latin-1"), value.strip().decode("latin-1"))
            for name, _, value in (line.partition(b":") for line in lines)
        )
        known = {name.lower(): value for name, value in headers}
        body = b""
        head_only = len(methods) > number and methods[number] == "HEAD"
        if known.get("transfer-encoding") == "chunked":
            while True:
                size_line, _, data = data.partition(b"\r\n")
                size = int(size_line, 16)
                body, data = body + data[:size], data[size + 2 :]
                if not size:
                    break
        elif status >= 200 and status not in (204, 304) and not head_only:
            length = int(known.get("content-length", len(data)))
            body, data = data[:length], data[length:]
        found.append(Response(status, headers, body))
    raise AssertionError("too many responses")


def one_response(data: bytes) -> Response:
    """The only response in ``data``."""
    found = [response for response in responses(data) if response.status >= 200]
    assert len(found) == 1, data
    return found[0]
