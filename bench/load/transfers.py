"""Large bodies, fetched or sent over and over: ``python transfers.py`` with a job as JSON on standard input.

A process of its own, so that it runs where the other load generators do. Each connection is a thread; every body is
counted, and the first that each connection fetches is compared byte by byte.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Job:
    port: int
    head: str
    """Request line and fields, without the empty line and without a length."""
    size: int
    """Bytes of one body."""
    sends: bool
    """Send bodies to somebody who answers with their length, instead of fetching them."""
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Transferred:
    bodies: int
    seconds: float
    faults: tuple[str, ...]


def transfers(job: Job, prefix: tuple[str, ...]) -> Transferred:
    """Run the job elsewhere."""
    argv = [*prefix, sys.executable, str(Path(__file__))]
    said = subprocess.run(argv, input=json.dumps(asdict(job)), capture_output=True, text=True, check=True).stdout
    found = json.loads(said)
    return Transferred(found["bodies"], found["seconds"], tuple(found["faults"]))


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from pattern import pattern

    job = Job(**json.load(sys.stdin))
    run = _Run(job, pattern(job.size))
    begun = time.monotonic()
    threads = [threading.Thread(target=run.connection, args=(begun + job.seconds,)) for _ in range(job.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"bodies": run.bodies, "seconds": time.monotonic() - begun, "faults": run.faults[:5]}))


class _Run:
    def __init__(self, job: Job, body: bytes) -> None:
        self.bodies = 0
        self.faults: list[str] = []
        self._job = job
        self._body = body
        self._lock = threading.Lock()

    def connection(self, until: float) -> None:
        """One body after another on one connection; the last one begun is finished."""
        first = True
        try:
            with socket.create_connection(("127.0.0.1", self._job.port), timeout=30) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while first or time.monotonic() < until:
                    self._send(connection) if self._job.sends else self._fetch(connection, first)
                    first = False
                    with self._lock:
                        self.bodies += 1
        except (OSError, ValueError) as fault:
            self.faults.append(f"{type(fault).__name__}: {fault}")

    def _send(self, connection: socket.socket) -> None:
        connection.sendall(f"{self._job.head}\r\nContent-Length: {self._job.size}\r\n\r\n".encode())
        connection.sendall(self._body)
        length, rest = _head(connection)
        while len(rest) < length:
            rest += _some(connection)
        if rest != b"%d\n" % self._job.size:
            raise ValueError(f"the application says that it got {rest[:100]!r}")

    def _fetch(self, connection: socket.socket, compare: bool) -> None:
        connection.sendall(f"{self._job.head}\r\n\r\n".encode())
        length, rest = _head(connection)
        if length != self._job.size or not self._body.startswith(rest):
            raise ValueError(f"the body has {length} bytes, or begins with {rest[:100]!r}")
        at, room = len(rest), bytearray(1 << 18)
        view = memoryview(room)
        while at < length:
            got = connection.recv_into(view, min(length - at, len(room)))
            if not got:
                raise ValueError(f"the body ended after {at} bytes")
            if compare and bytes(view[:got]) != self._body[at : at + got]:
                raise ValueError(f"the body is not what was sent, after {at} bytes")
            at += got


def _head(connection: socket.socket) -> tuple[int, bytes]:
    """The length of the body that follows, and what is there of it."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, rest = data.partition(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0]:
        raise ValueError(f"the answer is {head[:200]!r}")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value), rest
    raise ValueError(f"an answer without a length: {head[:300]!r}")


def _some(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise ValueError("the connection was closed")
    return piece


if __name__ == "__main__":
    main()
