"""The application that takes bodies and speaks WebSocket: ``python bench/bulk_application.py PORT``.

``PUT /sink`` answers with the length of the body, ``PUT /digest`` with its SHA-256, ``GET /ws`` echoes WebSocket
messages. Like the other application it answers 403 to whoever does not say who asks. It is never charged, so it may
be a plain thread for each connection.
"""

from __future__ import annotations

import hashlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator

from chains.chain import USERNAME
from websocket import accept_key, echo

_PIECE = 1 << 18


def main() -> None:
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096) as listener:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    with connection:
        stream = _Stream(connection)
        try:
            while _one(connection, stream):
                pass
        except (OSError, EOFError):
            pass


def _one(connection: socket.socket, stream: _Stream) -> bool:
    """One request; whether another may follow."""
    head = stream.until(b"\r\n\r\n")
    _, target, _ = head.split(b" ", 2)
    fields = dict(_fields(head))
    if fields.get(b"x-authentik-username") != USERNAME.encode() or b"x-forwarded-for" not in fields:
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return False
    if fields.get(b"upgrade", b"").lower() == b"websocket":
        accept = accept_key(fields[b"sec-websocket-key"])
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        echo(connection, stream.rest())
        return False
    digest, length = hashlib.sha256(), 0

    def take(piece: memoryview) -> None:
        nonlocal length
        length += len(piece)
        if target == b"/digest":
            digest.update(piece)

    if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        stream.chunked(take)
    else:
        stream.exactly(int(fields.get(b"content-length", b"0")), take)
    body = (digest.hexdigest() if target == b"/digest" else str(length)).encode() + b"\n"
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return True


def _fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        yield name.lower(), value.strip()


class _Stream:
    """What comes in on a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._kept = b""
        self._room = bytearray(_PIECE)

    def rest(self) -> bytes:
        return self._kept

    def until(self, end: bytes) -> bytes:
        """Everything up to ``end``. Raises EOFError."""
        while end not in self._kept:
            piece = self._connection.recv(65536)
            if not piece:
                raise EOFError
            self._kept += piece
        found, _, self._kept = self._kept.partition(end)
        return found

    def exactly(self, size: int, take: Callable[[memoryview], None]) -> None:
        """The next ``size`` bytes, in pieces. Raises EOFError."""
        kept = self._kept[:size]
        self._kept = self._kept[size:]
        if kept:
            take(memoryview(kept))
        missing = size - len(kept)
        room = memoryview(self._room)
        while missing:
            got = self._connection.recv_into(room, min(missing, _PIECE))
            if not got:
                raise EOFError
            take(room[:got])
            missing -= got

    def chunked(self, take: Callable[[memoryview], None]) -> None:
        """A chunked body. Raises EOFError."""
        while size := int(self.until(b"\r\n").partition(b";")[0], 16):
            self.exactly(size, take)
            self.until(b"\r\n")
        while self.until(b"\r\n"):
            pass


if __name__ == "__main__":
    main()
