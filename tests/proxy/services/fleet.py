"""An engine in front of several applications, each of which says its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from doorward.messages import routing as messages
from doorward.messages.control import ServerFailed, ServerHealth, ServerRest, ServersHealth
from doorward.messages.routing import LoadBalancer, PathPrefix, Router, RoutingTable, Server, Service
from doorward.proxy.ports import ForwardAuthority
from doorward.proxy.routing import Routes
from doorward.proxy.services.factory import ServiceFactory
from doorward.proxy.services.health_board import HealthBoard
from proxy.engine.application import Application, Conversation, Handler, Recorded
from proxy.engine.stage import Answer, Client, Stage, get

NOBODY = "http://127.0.0.1:1"
"""Where nobody listens."""


def says(name: str, status: int = 200) -> Handler:
    """An application that answers with its name."""

    async def handler(request: Recorded, conversation: Conversation) -> bytes:
        return b"HTTP/1.1 %d Fine\r\nContent-Length: %d\r\n\r\n%b" % (status, len(name), name.encode())

    return handler


async def hangs(request: Recorded, conversation: Conversation) -> bytes | None:
    """An application that reads and never answers."""
    await conversation.reader.read(1)
    return None


async def dies(request: Recorded, conversation: Conversation) -> bytes | None:
    """An application that cuts the connection instead of answering."""
    conversation.cut()
    return None


class Workshop:
    def __init__(self, factory: ServiceFactory) -> None:
        self.factory = factory

    def authority(self, middleware: messages.ForwardAuth) -> ForwardAuthority:
        raise ValueError("there is none here")

    def service(self, service: Service, part: Callable[[str], object]) -> object:
        return self.factory.service(service, part)


@dataclass
class Fleet(Stage):
    """``app`` starts applications, ``serve`` routes everything to the first of some services."""

    apps: dict[str, Application] = field(default_factory=dict)
    """By name; of two with one name the later."""
    started: list[Application] = field(default_factory=list)
    failures: list[ServerFailed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.board = HealthBoard(self.failures.append)
        self.workshop = Workshop(ServiceFactory(self.internals, self.pools, self.board))

    async def app(self, name: str, handler: Handler | None = None) -> Server:
        app = self.apps[name] = Application(handler or says(name))
        self.started.append(app)
        await app.start()
        return Server(app.url)

    def table(self, *services: Service) -> Routes:
        router = Router("r@file", ("web",), PathPrefix("/"), "", 1, (), services[0].name)
        return Routes.build(RoutingTable(1, (router,), {each.name: each for each in services}), self.workshop)

    async def serve(self, *services: Service) -> Client:
        """Start with these services, or go over to them; a client of the engine."""
        routes = self.table(*services)
        if self.engine is None:
            await self.start(routes)
        else:
            self.engine.use(routes)
        return await self.client()

    async def stop(self) -> None:
        for app in self.started:
            await app.stop()
        await super().stop()

    def hear(self, service: str, url: str, up: bool) -> None:
        """As the control process would say it."""
        self.board.hear(ServersHealth((ServerHealth(service, url, up),)))

    def rest(self, service: str, url: str, seconds: float) -> None:
        self.board.hear(ServersHealth(resting=(ServerRest(service, url, seconds),)))


def balancer(name: str, *servers: Server, **options: object) -> LoadBalancer:
    return LoadBalancer(name, servers, **options)  # type: ignore[arg-type]


async def names(client: Client, count: int, *fields: bytes) -> str:
    """Who answers ``count`` requests, one letter each."""
    return "".join([(await client.ask(get(b"/", *fields))).body.decode()[:1] for _ in range(count)])


def cookie_of(answer: Answer) -> bytes:
    (cookie,) = answer.values(b"set-cookie")
    return b"Cookie: " + cookie.partition(b";")[0]


def post(body: bytes, target: bytes = b"/", method: bytes = b"POST") -> bytes:
    return method + b" " + target + b" HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % len(body) + body
