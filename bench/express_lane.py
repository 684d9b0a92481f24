"""CPU of one authenticated request within the program, without sockets: ``python bench/express_lane.py``.

The proxy and the outpost are those of a worker, with access log and metrics on; the two transports are lists. So what
is timed is what our own code costs, between the bytes that the kernel gives and those that it takes. ``repeated`` heads
are the same but for the path, ``same`` is one page again and again, of ``different`` ones each has a trace id and a
cookie of its own, and ``ordinary`` is the way that everybody else takes.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from doorward.assembly.outpost_doors import FusedOutpost
from doorward.messages import routing
from doorward.messages.entry_points import AccessLog, EntryPoint, Metrics
from doorward.net.pools import Pools
from doorward.net.upstream import UpstreamConnection
from doorward.proxy.access_log import AccessLogFile
from doorward.proxy.client_connection import ClientConnection
from doorward.proxy.engine import Engine
from doorward.proxy.metrics import MetricsBook
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.routing import Routes
from doorward.proxy.service import Service
from doorward.proxy.services.factory import ServiceFactory
from load.wrk import BROWSER_FIELDS
from outpost.world import BOB, IDENTITY_NAMES, World, provider

HOST = "app.example.test"
ANSWER = b"HTTP/1.1 200 OK\r\nDate: Wed, 25 Nov 2026 12:00:00 GMT\r\nServer: nginx\r\nContent-Type: text/plain\r\n"
ANSWER += b"Content-Length: 34\r\nConnection: keep-alive\r\n\r\n" + b"x" * 34
REQUESTS, RUNS = 20_000, 5


class Wire(asyncio.Transport):
    """A transport of which nobody is at the other end."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 50_000)})
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written = cast(bytes, data)

    def is_closing(self) -> bool:
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Workshop:
    """What routes are made with."""

    def __init__(self, outpost: Any, pools: Pools) -> None:
        self._outpost = outpost
        self._factory = ServiceFactory({}, pools)

    def authority(self, middleware: routing.ForwardAuth) -> ForwardAuthority:
        return FusedOutpost(self._outpost)

    def service(self, service: routing.Service, part: Any) -> Service:
        return self._factory.service(service, part)


def routes(workshop: Workshop) -> Routes:
    guard = routing.ForwardAuth(
        "guard",
        "http://127.0.0.1:1/outpost.goauthentik.io/auth/traefik",
        fused=True,
        trust_forward_header=True,
        auth_response_headers=IDENTITY_NAMES,
    )
    app = routing.LoadBalancer("app@file", (routing.Server("http://127.0.0.1:8000"),))
    router = routing.Router("app", ("web",), routing.Host(HOST), "", 1, (guard,), "app@file")
    return Routes.build(routing.RoutingTable(1, (router,), {"app@file": app}), workshop)


def requests(kind: str, cookie: str) -> Iterator[bytes]:
    for number in itertools.count():
        path = "/page" if kind == "same" else f"/page/{number % 997}"
        own = f"; seen={number}" if kind == "different" else ""
        fields = [f"Host: {HOST}", *BROWSER_FIELDS, f"Cookie: theme=dark; {cookie}; lang=en{own}"]
        if kind == "ordinary":
            fields.append("TE: trailers")
        if kind == "different":
            fields.append(f"X-Trace: {number:032x}")
        yield "\r\n".join([f"GET {path} HTTP/1.1", *fields, "", ""]).encode("ascii")


def run(made: list[bytes], client: ClientConnection, upstream: UpstreamConnection, wires: tuple[Wire, Wire]) -> float:
    """Microseconds of CPU per request."""
    inner, outer = wires
    started = time.process_time()
    for data in made:
        client.data_received(data)
        upstream.data_received(ANSWER)
    spent = time.process_time() - started
    assert outer.written.startswith(b"HTTP/1.1 200") and b"\r\nX-authentik-username: bob\r\n" in inner.written
    return spent / len(made) * 1e6


async def main() -> None:
    world = World(msgspec.structs.replace(provider(1, HOST), external_host=f"http://{HOST}"))
    browser = world.browser(BOB, HOST)
    browser.scheme = "http"
    await browser.log_in("/")
    pools = Pools()
    with tempfile.TemporaryDirectory() as folder:
        log = AccessLogFile(AccessLog(str(Path(folder) / "log"), "common"))
        metrics = MetricsBook(Metrics("web", add_routers_labels=True))
        built = routes(Workshop(world.outpost, pools))
        engine = Engine([EntryPoint("web", "127.0.0.1", 0)], built, log, metrics, pools)
        engine.use(built)
        entry = engine._servers["web"]
        pool = cast(Any, built.at("web", tls=False)[0].service).servers[0].pool
        for kind in ("same", "repeated", "different", "ordinary"):
            made = list(itertools.islice(requests(kind, browser.cookie_header()), REQUESTS))
            wires = inner, outer = Wire(), Wire()
            upstream, client = UpstreamConnection(pool), ClientConnection(entry)
            upstream.connection_made(inner)
            client.connection_made(outer)
            pool.give_back(upstream)
            client.data_received(made[0])
            await asyncio.sleep(0.05)  # the outpost asks its store about a session that it does not know
            upstream.data_received(ANSWER)
            run(made[:3000], client, upstream, wires)
            # The least of several runs: what else the machine does can only add to it.
            print(f"{kind:10}{min(run(made, client, upstream, wires) for _ in range(RUNS)):6.2f} µs")
            pool._idle.clear()


if __name__ == "__main__":
    asyncio.run(main())
