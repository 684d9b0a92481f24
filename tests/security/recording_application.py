"""``A`` of the security catalogue: an application that remembers every request it gets, and says what it is told to.

It reads HTTP by itself, one simple parser that shares nothing with ours, so that what it records is what arrived.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it arrived."""

    connection: int
    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    complete: bool
    """The body ended where its framing said; False: the connection was cut before."""

    def all(self, name: bytes) -> list[bytes]:
        return [value for field_name, value in self.headers if field_name.lower() == name.lower()]

    def one(self, name: bytes) -> bytes:
        values = self.all(name)
        assert len(values) == 1, (name, values, self.headers)
        return values[0]

    @property
    def host(self) -> bytes:
        return self.one(b"Host").rpartition(b":")[0] or self.one(b"Host")

    @property
    def names(self) -> set[bytes]:
        return {name.lower() for name, _ in self.headers}


@dataclass
class RecordingApplication:
    """Serves loopback until ``close``. ``says`` maps a path to the bytes of an answer, after which it hangs up."""

    requests: list[Recorded] = field(default_factory=list)
    says: dict[bytes, bytes] = field(default_factory=dict)
    acts: dict[bytes, Callable[[socket.socket, Recorded], None]] = field(default_factory=dict)
    """Instead of an answer: do this with the socket, then hang up. Called before the body is read."""
    port: int = field(init=False)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._count = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[Recorded]]:
        """What arrives within the block, after giving a stray request a moment to show up."""
        before = len(self.requests)
        seen: list[Recorded] = []
        yield seen
        time.sleep(0.03)
        seen += self.requests[before:]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._count += 1
            threading.Thread(target=self._serve, args=(connection, self._count), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(30)
            buffer = b""
            while True:
                while b"\r\n\r\n" not in buffer:
                    data = connection.recv(65536)
                    if not data:
                        return
                    buffer += data
                raw, _, buffer = buffer.partition(b"\r\n\r\n")
                start, *lines = raw.split(b"\r\n")
                method, target, _ = start.split(b" ", 2)
                headers = tuple(
                    (name, value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines)
                )
                path = target.partition(b"?")[0]
                if path in self.acts:
                    early = Recorded(number, method, target, headers, b"", complete=False)
                    self.requests.append(early)
                    self.acts[path](connection, early)
                    return
                body, complete, buffer = self._body(connection, headers, buffer)
                recorded = Recorded(number, method, target, headers, body, complete)
                self.requests.append(recorded)
                if not complete:
                    return
                if path in self.says:
                    connection.sendall(self.says[path])
                    return
                if recorded.all(b"Upgrade"):
                    self._web_socket(connection, recorded)
                    return
                echo = raw + b"\r\n\r\n" + body
                fields = b"Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(echo)
                connection.sendall(b"HTTP/1.1 200 OK\r\n" + fields + (b"" if method == b"HEAD" else echo))

    @staticmethod
    def _body(
        connection: socket.socket, headers: tuple[tuple[bytes, bytes], ...], buffer: bytes
    ) -> tuple[bytes, bool, bytes]:
        known = {name.lower(): value for name, value in headers}
        if known.get(b"transfer-encoding", b"").lower() == b"chunked":
            body = b""
            while True:
                while b"\r\n" not in buffer:
                    data = connection.recv(65536)
                    if not data:
                        return body, False, b""
                    buffer += data
                size_line, _, buffer = buffer.partition(b"\r\n")
                size = int(size_line, 16)
                while len(buffer) < size + 2:
                    data = connection.recv(65536)
                    if not data:
                        return body + buffer, False, b""
                    buffer += data
                body, buffer = body + buffer[:size], buffer[size + 2 :]
                if not size:
                    return body, True, buffer
        length = int(known.get(b"content-length", b"0"))
        while len(buffer) < length:
            data = connection.recv(65536)
            if not data:
                return buffer, False, b""
            buffer += data
        return buffer[:length], True, buffer[length:]

    @staticmethod
    def _web_socket(connection: socket.socket, request: Recorded) -> None:
        accept = base64.b64encode(hashlib.sha1(request.one(b"Sec-WebSocket-Key") + _GUID).digest())
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        while True:
            data = connection.recv(65536)
            if not data:
                return
            connection.sendall(b"\x81\x02ok")
