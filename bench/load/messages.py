"""WebSocket messages there and back: ``python messages.py`` with a job as JSON on standard input.

Each connection sends one message, waits for its echo, compares it, and sends the next.
"""

from __future__ import annotations

import base64
import json
import os
import select
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Job:
    port: int
    head: str
    """Request line and fields of the handshake, without what makes it one."""
    connections: int
    size: int
    """Bytes of a message."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Echoed:
    echoes: int
    p50_ms: float
    p99_ms: float
    faults: tuple[str, ...]


def messages(job: Job, prefix: tuple[str, ...]) -> Echoed:
    """Run the job elsewhere."""
    argv = [*prefix, sys.executable, str(Path(__file__))]
    said = subprocess.run(argv, input=json.dumps(asdict(job)), capture_output=True, text=True, check=True).stdout
    found = json.loads(said)
    return Echoed(**{**found, "faults": tuple(found["faults"])})


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    job = Job(**json.load(sys.stdin))
    run = _Run(job)
    run.go()
    times = sorted(run.times) or [0.0]
    found = Echoed(
        len(run.times), times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3, tuple(run.faults[:5])
    )
    print(json.dumps(asdict(found)))


class _Run:
    def __init__(self, job: Job) -> None:
        self.times: list[float] = []
        self.faults: list[str] = []
        self._job = job
        self._poll = select.epoll()
        self._connections = [self._connect() for _ in range(job.connections)]

    def go(self) -> None:
        from websocket import from_client, from_server

        number, sent = 0, {}
        by_number = {connection.fileno(): connection for connection in self._connections}
        for descriptor, connection in by_number.items():
            self._poll.register(descriptor, select.EPOLLIN)
            sent[descriptor] = (b"", b"", 0.0)
            connection.setblocking(False)
        until = time.perf_counter() + self._job.seconds
        ready = [(descriptor, 0) for descriptor in by_number]
        first = True
        while ready and not self.faults:
            now = time.perf_counter()
            for descriptor, _ in ready:
                connection = by_number[descriptor]
                if not first:
                    expected, got, since = sent[descriptor]
                    got += connection.recv(65536)
                    if got != expected:
                        if not got or not expected.startswith(got):
                            self.faults.append(f"sent {expected[:40]!r}, got {got[:40]!r}")
                        sent[descriptor] = expected, got, since
                        continue
                    self.times.append(now - since)
                number += 1
                payload = (b"%012d" % number).ljust(self._job.size, b".")
                sent[descriptor] = from_server(payload), b"", time.perf_counter()
                connection.send(from_client(payload))
            first = False
            if now > until:
                return
            ready = self._poll.poll(5)
        self.faults.append("an echo did not come")

    def _connect(self) -> socket.socket:
        from websocket import accept_key

        connection = socket.create_connection(("127.0.0.1", self._job.port), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16))
        connection.sendall(
            f"{self._job.head}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key.decode()}\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
        if b" 101 " not in answer.partition(b"\r\n")[0] or accept_key(key) not in answer:
            self.faults.append(f"the handshake was answered {answer[:200]!r}")
        return connection


if __name__ == "__main__":
    main()
