"""What each limit holds: attacks of ``docs/threat-model.md`` against the running program, with what they cost it.

    PYTHONPATH=tests python bench/limits.py            measures, prints a table
    PYTHONPATH=tests python bench/limits.py --write    puts it into docs/reference/limits.md as well

One worker, so that a figure is one event loop's. Memory is that of the whole tree (PSS), CPU its user and system time;
both as differences to just before.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import socket
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from peers.processes import free_port
from peers.program import Program
from security.invariants import cpu_seconds, memory
from security.raw_http2 import Http2, http2
from wire.http2.by_hand import CONTINUATION, END_HEADERS, END_STREAM, HEADERS, block, frame, headers, rst_stream

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "limits.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
HOST = "open.example.test"
DOWNLOAD = 100 << 20
GET = f"GET /{{}} HTTP/1.1\r\nHost: {HOST}\r\n"


@dataclass
class Lab:
    """The program, one application behind it, and where both are."""

    folder: Path

    def __post_init__(self) -> None:
        self.port, self.tls_port = free_port(), free_port()
        self.program = Program(self.folder, config=self.folder / "doorward.yml")
        self.requests = 0
        self.taken = 0

    async def start(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self.application = server.sockets[0].getsockname()[1]
        assert self.program.config
        self.program.config.write_text(
            dedent(f"""\
            entryPoints:
              web: {{address: "127.0.0.1:{self.port}"}}
              websecure: {{address: "127.0.0.1:{self.tls_port}", http: {{tls: {{}}}}}}
              identity: {{address: "127.0.0.1:{self.program.identity_port}"}}
            providers:
              providersThrottleDuration: 100ms
              file: {{filename: {self.folder}/routes.yml}}
            metrics: {{prometheus: {{entryPoint: identity}}}}
            identity: {{externalUrl: "http://127.0.0.1:{self.program.identity_port}", data: "{self.program.data}"}}
            workers: 1
            """)
        )
        self.route()
        await asyncio.to_thread(self.program.start)
        await self.ask()
        await asyncio.sleep(2)

    def route(self, more: str = "") -> None:
        written = self.folder / "routes.new"
        written.write_text(
            "http:\n  routers:\n"
            f"    open: {{rule: 'Host(`{HOST}`)', entryPoints: [web, websecure], service: a}}\n{more}"
            f"  services:\n    a: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:{self.application}'}}]}}}}\n"
        )
        written.rename(self.folder / "routes.yml")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                if head.startswith(b"GET /large"):
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % DOWNLOAD)
                    for _ in range(DOWNLOAD >> 16):
                        writer.write(bytes(65536))
                        self.taken += 65536
                        await writer.drain()
                elif head.startswith(b"POST /slow"):
                    await asyncio.sleep(3600)
                else:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async def ask(self, data: bytes = b"", path: str = "") -> tuple[int, float]:
        """Status and seconds of one request of an ordinary client."""
        begun = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data or (GET.format(path) + "Connection: close\r\n\r\n").encode())
        answer = await reader.read()
        writer.close()
        return int(answer[9:12] or b"0"), time.perf_counter() - begun

    @property
    def memory(self) -> int:
        """Kilobytes."""
        return memory(self.program.pid)

    @property
    def cpu(self) -> float:
        return cpu_seconds(self.program.pid)

    async def connections(self, count: int, first: bytes) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        opened = []
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=4096)
            writer.write(first)
            opened.append((reader, writer))
        return opened


@dataclass(frozen=True, slots=True)
class Figure:
    what: str
    limit: str
    seen: str


# --- slow peers ---------------------------------------------------------------------------------------------------


async def slow_readers(lab: Lab) -> Figure:
    before, taken = lab.memory, lab.taken
    clients = []
    for _ in range(10):
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect(("127.0.0.1", lab.port))
        plain.sendall((GET.format("large") + "\r\n").encode())
        clients.append(plain)
    await asyncio.sleep(5)
    grown, fetched = lab.memory - before, (lab.taken - taken) / 10
    latency = max([(await lab.ask())[1] for _ in range(20)])
    for client in clients:
        client.close()
    return Figure(
        "10 clients that ask for 100 MiB each and read nothing",
        "64 KiB in flight each way; cut after 60 s without a byte taken",
        f"{_kib(grown)} more in all; {_kib(fetched / 1024)} fetched for each, most of it in socket buffers; "
        f"others wait at most {latency * 1000:.0f} ms",
    )


async def slow_writers(lab: Lab) -> Figure:
    before = lab.memory
    head = f"POST /slow HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {DOWNLOAD}\r\n\r\n".encode()
    sent = [0]

    async def push() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", lab.port)
        writer.write(head)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while True:
                writer.write(bytes(65536))
                await writer.drain()
                sent[0] += 65536
        writer.close()

    tasks = [asyncio.create_task(push()) for _ in range(10)]
    await asyncio.sleep(5)
    grown = lab.memory - before
    latency = max([(await lab.ask())[1] for _ in range(20)])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return Figure(
        "10 clients that send 100 MiB each to an application that reads nothing",
        "64 KiB in flight each way",
        f"{_kib(grown)} more in all, {_kib(sent[0] / 10 / 1024)} taken from each, most of it in socket buffers; "
        f"others wait at most {latency * 1000:.0f} ms",
    )


async def slowloris(lab: Lab) -> Figure:
    before, cpu = lab.memory, lab.cpu
    begun = time.monotonic()
    opened = await lab.connections(1000, GET.format("").encode()[:20])
    waits: list[float] = []
    peak = 0
    left = set(range(len(opened)))

    async def watch(number: int) -> None:
        reader, _ = opened[number]
        with contextlib.suppress(ConnectionError):
            while await reader.read(4096):
                pass
        left.discard(number)

    watchers = [asyncio.create_task(watch(number)) for number in range(len(opened))]
    while left and time.monotonic() - begun < 30:
        for number in list(left):
            with contextlib.suppress(ConnectionError):
                opened[number][1].write(b"a")
        waits.append((await lab.ask())[1])
        peak = max(peak, lab.memory - before)
        await asyncio.sleep(1)
    for watcher in watchers:
        watcher.cancel()
    for _, writer in opened:
        writer.close()
    return Figure(
        "1,000 clients that send a byte of their head a second",
        "10 s for a head, whatever comes meanwhile",
        f"all closed after {time.monotonic() - begun:.0f} s; {_kib(peak)} more at the most, "
        f"{(lab.cpu - cpu):.1f} s of CPU; others wait {statistics.median(waits) * 1000:.1f} ms, "
        f"at most {max(waits) * 1000:.0f} ms",
    )


async def idle(lab: Lab) -> Figure:
    before = lab.memory
    opened = await lab.connections(1000, (GET.format("") + "\r\n").encode())
    for reader, _ in opened:
        await reader.readuntil(b"ok")
    await asyncio.sleep(4)
    grown = lab.memory - before
    for _, writer in opened:
        writer.close()
    return Figure(
        "1,000 connections that were used once and wait",
        "256 per address, 10,000 in all; 180 s idle",
        f"{_kib(grown)} more, {grown / 1000:.1f} KiB for each",
    )


# --- HTTP/2 -------------------------------------------------------------------------------------------------------


def _fields(path: str = "/") -> list[tuple[str, str]]:
    return [(":method", "GET"), (":scheme", "https"), (":path", path), (":authority", HOST)]


def _flood(lab: Lab, pieces: Iterator[bytes]) -> tuple[Http2, int, float]:
    """Send until the connection is given up; how many pieces went out, and the CPU that it took."""
    cpu, count = lab.cpu, 0
    with http2(lab.tls_port, HOST) as client:
        client.connection.settimeout(0.002)
        for piece in pieces:
            client.send(piece)
            count += 1
            if count % 25 == 0:
                with contextlib.suppress(TimeoutError):
                    while True:
                        client.read()
                        if client.closed or client.goaway is not None:
                            break
            if client.goaway is not None:
                break
        client.connection.settimeout(20)
        client.until_goaway()
    return client, count, lab.cpu - cpu


async def rapid_reset(lab: Lab) -> Figure:
    before = lab.requests
    frames = (headers(stream, _fields()) + rst_stream(stream) for stream in range(1, 200_001, 2))
    client, count, cpu = await asyncio.to_thread(_flood, lab, frames)
    return Figure(
        "HTTP/2 rapid reset: a request and its end in one breath, again and again",
        "1,000 resets at once, then 33 a second",
        f"GOAWAY {_code(client)} after {count} of them, {cpu:.2f} s of CPU, {lab.requests - before} requests at the "
        "application",
    )


async def continuation(lab: Lab) -> Figure:
    def frames() -> Iterator[bytes]:
        yield frame(HEADERS, END_STREAM, 1, block(_fields()))
        while True:
            yield frame(CONTINUATION, 0, 1, block([("x-a", "b" * 100)]))

    client, count, cpu = await asyncio.to_thread(_flood, lab, frames())
    return Figure(
        "HTTP/2 CONTINUATION without end",
        "8 frames or 64 KiB per header block",
        f"GOAWAY {_code(client)}, {cpu * 1000:.0f} ms of CPU ({count} frames were sent before it was read)",
    )


async def hpack_bomb(lab: Lab) -> Figure:
    before, cpu = lab.memory, lab.cpu
    large = b"\x40\x01a" + b"\x7f\xa1\x1e" + b"v" * 4000
    bomb = frame(HEADERS, END_STREAM | END_HEADERS, 1, block(_fields()) + large + b"\xbe" * 12_000)

    def send() -> Http2:
        with http2(lab.tls_port, HOST) as client:
            client.send(bomb)
            client.until(1)
            return client

    client = await asyncio.to_thread(send)
    return Figure(
        "HPACK bomb: 16 KiB that unpack to 48 MB",
        "64 KiB of fields, counted before they are made",
        f"GOAWAY {_code(client)}; {_kib(lab.memory - before)} more, {(lab.cpu - cpu) * 1000:.0f} ms of CPU",
    )


def _code(client: Http2) -> str:
    return {11: "ENHANCE_YOUR_CALM", 9: "COMPRESSION_ERROR"}.get(client.goaway or 0, str(client.goaway))


# --- heads, bodies, tables ----------------------------------------------------------------------------------------


async def _cost(lab: Lab, data: bytes, times: int = 50) -> tuple[int, float]:
    """Status, and milliseconds of CPU for each beyond those of an ordinary request."""
    plain = (GET.format("") + "Connection: close\r\n\r\n").encode()
    spent = []
    status = 0
    for request in (plain, data):
        cpu = lab.cpu
        for _ in range(times):
            status, _ = await lab.ask(request)
        spent.append((lab.cpu - cpu) / times * 1000)
    return status, max(spent[1] - spent[0], 0.0)


async def head_bombs(lab: Lab) -> Figure:
    def head(*lines: str, path: str = "") -> bytes:
        return "\r\n".join((GET.format(path).rstrip(), "Connection: close", *lines, "", "")).encode()

    kinds = {
        "10,000 fields": head(*["X-A: b"] * 10_000),
        "5,000 cookies": head("Cookie: " + "; ".join(["a=b"] * 5_000)),
        "a cookie of 60 KiB": head("Cookie: a=" + "b" * 61_440),
        "64 KiB of fields": head(*[f"X-{number}: {'a' * 1600}" for number in range(39)]),
        "a path of 2,200 encoded dots": head(path="%2e%2e/" * 1100),
    }
    seen = []
    for name, data in kinds.items():
        status, cost = await _cost(lab, data)
        seen.append(f"{name}: {status}, {cost:.1f} ms")
    return Figure(
        "Heads as large as they may be, and larger",
        "request line 8 KiB, field 16 KiB, head 64 KiB, 100 fields, 200 cookies",
        "; ".join(seen),
    )


async def tiny_chunks(lab: Lab) -> Figure:
    head = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()
    cpu = lab.cpu
    status, seconds = await lab.ask(head + b"1\r\na\r\n" * (1 << 20) + b"0\r\n\r\n")
    return Figure(
        "1 MiB in chunks of one byte",
        "chunk framing may cost 16 KiB beyond twice the payload",
        f"{status} after {seconds:.2f} s, {lab.cpu - cpu:.2f} s of CPU",
    )


async def many_routers(lab: Lab) -> Figure:
    before = lab.memory
    alone = statistics.median([(await lab.ask())[1] for _ in range(200)])
    more = "".join(
        f"    r{number}: {{rule: 'Host(`h{number}.example.test`) && PathPrefix(`/a`)', service: a}}\n"
        for number in range(10_000)
    )
    begun = time.monotonic()
    lab.route(more)
    question = (GET.format("a") + "Connection: close\r\n\r\n").replace(HOST, "h9999.example.test").encode()
    worst = 0.0
    while (await lab.ask(question))[0] != 200:
        worst = max(worst, (await lab.ask())[1])
        assert time.monotonic() - begun < 120, "the table did not come"
    taken = time.monotonic() - begun
    await asyncio.sleep(3)
    grown = lab.memory - before
    among = statistics.median([(await lab.ask())[1] for _ in range(200)])
    lab.route()
    return Figure(
        "10,000 routers",
        "none",
        f"in force {taken:.1f} s after the file was written, meanwhile nobody waited longer than "
        f"{worst * 1000:.0f} ms; {_kib(grown)} more in all processes; a request takes {among * 1000:.2f} ms "
        f"instead of {alone * 1000:.2f}",
    )


async def stalled_handshakes(lab: Lab) -> Figure:
    begun = time.monotonic()
    opened = [socket.create_connection(("127.0.0.1", lab.tls_port)) for _ in range(200)]
    for connection in opened:
        connection.sendall(b"\x16\x03\x01")
        connection.setblocking(False)
    left = set(opened)
    while left and time.monotonic() - begun < 20:
        for connection in list(left):
            with contextlib.suppress(BlockingIOError):
                try:
                    if not connection.recv(1):
                        left.discard(connection)
                except ConnectionError:
                    left.discard(connection)
        await asyncio.sleep(0.2)
    for connection in opened:
        connection.close()
    return Figure(
        "200 TLS handshakes that stop after three bytes",
        "5 s for the first bytes, 10 s for the handshake",
        f"all closed after {time.monotonic() - begun:.0f} s",
    )


MEASURED: tuple[Callable[[Lab], Awaitable[Figure]], ...] = (
    slow_readers,
    slow_writers,
    slowloris,
    idle,
    stalled_handshakes,
    rapid_reset,
    continuation,
    hpack_bomb,
    head_bombs,
    tiny_chunks,
    many_routers,
)


def _kib(kibibytes: float) -> str:
    return f"{kibibytes / 1024:.1f} MiB" if abs(kibibytes) >= 1024 else f"{kibibytes:.0f} KiB"


async def measure(folder: Path, only: list[str]) -> list[Figure]:
    lab = Lab(folder)
    await lab.start()
    try:
        found = []
        for each in MEASURED:
            if not only or each.__name__ in only:
                figure = await each(lab)
                print(f"{each.__name__}: {figure.seen}", flush=True)
                found.append(figure)
                status, _ = await lab.ask()
                assert status == 200, "the program does not serve any more"
                await asyncio.sleep(2)
        return found
    finally:
        await asyncio.to_thread(lab.program.end)


def table(figures: list[Figure]) -> str:
    rows = "".join(f"| {each.what} | {each.limit} | {each.seen} |\n" for each in figures)
    return f"| attack | limit | seen |\n|---|---|---|\n{rows}"


def main() -> None:
    parser = argparse.ArgumentParser(description="What each limit holds.")
    parser.add_argument("only", nargs="*")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    with tempfile.TemporaryDirectory(prefix="doorward-limits-") as folder:
        figures = asyncio.run(measure(Path(folder), asked.only))
    print("\n" + table(figures))
    if asked.write:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n{table(figures)}{END}{after}")


if __name__ == "__main__":
    main()
