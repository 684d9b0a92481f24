"""An engine on a free port, in front of a recording application, for raw-socket conversations."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from doorward.messages import routing as messages
from doorward.messages.entry_points import AccessLog, EntryPoint, Metrics
from doorward.net.listeners import listen
from doorward.net.pools import Pools
from doorward.proxy.access_log import AccessLogFile
from doorward.proxy.engine import Engine
from doorward.proxy.metrics import MetricsBook
from doorward.proxy.ports import ForwardAuthority, InternalService
from doorward.proxy.request import Middleware, Request
from doorward.proxy.routing import Route, Routes
from doorward.proxy.services.factory import ServiceFactory
from proxy.engine.application import Application

HOST = b"app.example.test"


@dataclass
class Answer:
    """A response as a client reads it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    raw: bytes = b""

    def values(self, name: bytes) -> list[bytes]:
        return [value for field_name, value in self.headers if field_name.lower() == name]


@dataclass
class Client:
    """A raw connection to the engine."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, method: bytes = b"GET") -> Answer:
        """The next final response; interim ones are skipped."""
        while True:
            raw = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
            line, *lines = raw[:-4].split(b"\r\n")
            match = re.fullmatch(rb"HTTP/1\.[01] ([0-9]{3}) .*", line)
            assert match is not None, line
            answer = Answer(int(match[1]), [_pair(entry) for entry in lines], b"", raw)
            if answer.status >= 200 or answer.status == 101:
                break
        if method != b"HEAD" and answer.status not in (101, 204, 304):
            answer.body = await asyncio.wait_for(self._body(answer), 10)
        return answer

    async def ask(self, data: bytes, method: bytes = b"GET") -> Answer:
        await self.send(data)
        return await self.answer(method)

    async def rest(self) -> bytes:
        """Everything until the engine closes."""
        return await asyncio.wait_for(self.reader.read(), 5)

    async def closed(self) -> bool:
        """The engine closes without another byte."""
        try:
            return await self.rest() == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.writer.close()

    def cut(self) -> None:
        self.writer.transport.abort()

    async def _body(self, answer: Answer) -> bytes:
        if answer.values(b"transfer-encoding"):
            pieces = []
            while size := int(await self.reader.readline(), 16):
                pieces.append(await self.reader.readexactly(size))
                assert await self.reader.readexactly(2) == b"\r\n"
            assert await self.reader.readexactly(2) == b"\r\n"
            return b"".join(pieces)
        lengths = answer.values(b"content-length")
        if lengths:
            return await self.reader.readexactly(int(lengths[0]))
        return await self.reader.read()


def _pair(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b": ")
    return name, value


class OneRoute(Routes):
    """Routes everything to one service through the given middlewares."""

    def __init__(self, route: Route | None) -> None:
        super().__init__(messages.RoutingTable(), {})
        self._route = route

    def match(self, request: Request) -> Route | None:
        return self._route


@dataclass
class Stage:
    """See the module. ``routes`` may be replaced before ``start``."""

    application: Application = field(default_factory=Application)
    entry_point: EntryPoint = field(default_factory=lambda: EntryPoint("web", "127.0.0.1", 0))
    pools: Pools = field(default_factory=Pools)
    internals: dict[str, InternalService] = field(default_factory=dict)
    log_path: str = "/dev/null"
    log_format: str = "common"
    engine: Engine = None  # type: ignore[assignment]
    metrics: MetricsBook = field(default_factory=lambda: MetricsBook(Metrics("web", add_routers_labels=True)))
    clients: list[Client] = field(default_factory=list)

    @property
    def factory(self) -> ServiceFactory:
        return ServiceFactory(self.internals, self.pools)

    def routes(self, *middlewares: Middleware, service: messages.Service | None = None) -> Routes:
        made = service or messages.LoadBalancer("app@file", (messages.Server(self.application.url),))
        return OneRoute(Route("r@file", "", middlewares, self.factory.service(made, _no_parts), made.name))

    async def start(self, routes: Routes | None = None) -> None:
        if not self.application.port:
            await self.application.start()
        log = AccessLogFile(AccessLog(self.log_path, self.log_format))
        self.engine = Engine([self.entry_point], routes or self.routes(), log, self.metrics, self.pools)
        sockets = listen(self.entry_point.host, self.entry_point.port)
        self.port = sockets[0].getsockname()[1]
        await self.engine.start({self.entry_point.name: sockets})

    async def client(self, port: int | None = None) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", port or self.port, limit=1 << 20))
        self.clients.append(client)
        return client

    def socket(self) -> socket.socket:
        """Connected and not blocking, for whoever speaks in pieces."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    async def stop(self) -> None:
        for client in self.clients:
            client.cut()
        await self.application.stop()
        if self.engine is None:
            return
        await self.engine.drain(0.5)
        # I6: nothing is left open.
        await eventually(lambda: not any(self.engine.open_connections.values()) and not self.application.open)
        await asyncio.sleep(0.01)


class Workshop:
    """For tests that compile a whole routing table."""

    def __init__(self, factory: ServiceFactory, authority: ForwardAuthority) -> None:
        self._factory = factory
        self._authority = authority

    def authority(self, middleware: messages.ForwardAuth) -> ForwardAuthority:
        return self._authority

    def service(self, service: messages.Service, part: Callable[[str], object]) -> object:
        return self._factory.service(service, part)


def _no_parts(name: str) -> object:
    raise ValueError(f"there is no service {name!r}")


async def eventually(condition: object, timeout: float = 3.0) -> None:
    """Wait until ``condition()`` is true."""
    assert callable(condition)
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    while not condition():
        assert loop.time() < end, "it did not come about"
        await asyncio.sleep(0.005)


def get(target: bytes = b"/", *fields: bytes, host: bytes = HOST) -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + b"".join(f + b"\r\n" for f in fields) + b"\r\n"
