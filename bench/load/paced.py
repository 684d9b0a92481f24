"""Requests at a fixed rate, whatever the answers do: ``python paced.py`` with a job as JSON on standard input.

Requests fall due at random moments (a Poisson process with a fixed seed, the same for every chain). Each goes out on
an idle connection when it is due, and its time counts from the moment it was due, so that a server that stalls is
charged for everything that had to wait (no coordinated omission). Connections are opened beforehand.
"""

from __future__ import annotations

import json
import random
import select
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Job:
    port: int
    request: str
    """The whole request."""
    body: str
    """The body of every answer."""
    rate: float
    """Requests per second."""
    seconds: float
    connections: int


@dataclass(frozen=True, slots=True)
class Paced:
    """What came back."""

    requests: int
    p50_ms: float
    p99_ms: float
    largest_ms: float
    late_ms: float
    """How late the load generator itself was, at the 99th percentile: what is below it is noise."""
    faults: tuple[str, ...]


def paced(job: Job, prefix: tuple[str, ...]) -> Paced:
    """Run the job elsewhere."""
    argv = [*prefix, sys.executable, str(Path(__file__))]
    said = subprocess.run(argv, input=json.dumps(asdict(job)), capture_output=True, text=True, check=True).stdout
    found = json.loads(said)
    return Paced(**{**found, "faults": tuple(found["faults"])})


def main() -> None:
    job = Job(**json.load(sys.stdin))
    run = _Run(job)
    run.go()
    times, late = sorted(run.times), sorted(run.late)

    def at(values: list[float], share: float) -> float:
        return values[min(len(values) - 1, int(len(values) * share))] * 1e3 if values else 0.0

    found = Paced(len(times), at(times, 0.5), at(times, 0.99), at(times, 1.0), at(late, 0.99), tuple(run.faults[:5]))
    print(json.dumps(asdict(found)))


class _Run:
    def __init__(self, job: Job) -> None:
        self.times: list[float] = []
        self.late: list[float] = []
        self.faults: list[str] = []
        self._request = job.request.encode()
        self._body = job.body.encode()
        self._due: deque[float] = deque()
        chance, at = random.Random(7), 0.0
        while (at := at + chance.expovariate(job.rate)) < job.seconds:
            self._due.append(at)
        self._poll = select.epoll()
        self._idle: deque[socket.socket] = deque()
        self._busy: dict[int, tuple[socket.socket, float, bytes]] = {}
        for _ in range(job.connections):
            connection = socket.create_connection(("127.0.0.1", job.port), timeout=5)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(self._request)  # so that the way is paved: TLS, pools, caches
            connection.recv(65536)
            connection.setblocking(False)
            self._poll.register(connection, select.EPOLLIN)
            self._idle.append(connection)

    def go(self) -> None:
        waiting: deque[float] = deque()
        """Due, and no connection idle."""
        begun = time.perf_counter() + 0.05
        end = begun + (self._due[-1] if self._due else 0.0) + 5.0
        while self._due or self._busy or waiting:
            now = time.perf_counter()
            if now > end or not (self._idle or self._busy):
                self.faults.append(f"{len(waiting) + len(self._busy)} requests were not answered in time")
                return
            while self._due and begun + self._due[0] <= now:
                waiting.append(begun + self._due.popleft())
            while waiting and self._idle:
                due = waiting.popleft()
                connection = self._idle.popleft()
                connection.send(self._request)
                self.late.append(now - due)
                self._busy[connection.fileno()] = connection, due, b""
            wait = begun + self._due[0] - time.perf_counter() if self._due else 1.0
            # The last part of a wait is spent looking: epoll's own clock is too coarse for it.
            for number, _ in self._poll.poll(max(0.0, wait - 0.001)):
                self._answer(number)

    def _answer(self, number: int) -> None:
        if number not in self._busy:
            self.faults.append("an answer without a question, or an idle connection was closed")
            self._poll.unregister(number)
            self._idle = deque(each for each in self._idle if each.fileno() != number)
            return
        connection, due, data = self._busy[number]
        data += connection.recv(65536)
        if data.endswith(self._body):
            self.times.append(time.perf_counter() - due)
            del self._busy[number]
            self._idle.append(connection)
            if not data.startswith(b"HTTP/1.1 200 "):
                self.faults.append(f"the answer is {data[:100]!r}")
        elif not data or len(data) > 8192:
            self.faults.append(f"the answer is {data[:100]!r}")
            del self._busy[number]
            self._poll.unregister(number)
            connection.close()
        else:
            self._busy[number] = connection, due, data


if __name__ == "__main__":
    main()
