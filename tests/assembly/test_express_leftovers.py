"""What one request left behind on a connection is never taken for what the next one is.

A proxy in front shares its connections between people, so what is learned about a head has to be that head's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from assembly.test_express_lane import HOST, NAMES, Side, get
from doorward.assembly.outpost_doors import OutpostService
from doorward.messages import routing
from doorward.messages.entry_points import AccessLog, EntryPoint, Metrics
from doorward.net.listeners import listen
from doorward.proxy.access_log import AccessLogFile
from doorward.proxy.engine import Engine
from doorward.proxy.metrics import MetricsBook
from doorward.proxy.routing import Routes
from doorward.proxy.services.factory import ServiceFactory
from outpost.issuer import Person
from outpost.world import BOB, MALLORY, World, provider
from proxy.engine.application import Application, Conversation, Recorded

QUESTION = "/outpost.goauthentik.io/auth/traefik"
PING = "/outpost.goauthentik.io/ping"


class Shared(Side):
    """A worker with the outpost's own paths, behind a proxy that it believes and that shares one connection."""

    def __init__(self, folder: Path) -> None:
        served = msgspec.structs.replace(provider(1, HOST), external_host=f"http://{HOST}")
        super().__init__(folder / "log", World(served))
        self.application = Application(self.answered)
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.reached = asyncio.Event()

    async def answered(self, request: Recorded, conversation: Conversation) -> bytes:
        self.reached.set()
        await self.goes_on.wait()
        names = [line for line in request.raw_head.lower().split(b"\r\n") if line.startswith(b"x-authentik-username")]
        body = b"the application sees " + (names[0] if names else b"nobody")
        date = b"Date: Wed, 25 Nov 2026 12:00:00 GMT\r\n"
        return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (date, len(body), body)

    async def start(self) -> None:
        await self.application.start()
        self.factory = ServiceFactory({"outpost@internal": OutpostService(self.world.outpost)}, self.pools)
        self.metrics = MetricsBook(Metrics("web"))
        point = EntryPoint("web", "127.0.0.1", 0, trusted_ips=("127.0.0.0/8",))
        log = AccessLogFile(AccessLog(str(self.log), "common"))
        self.engine = Engine([point], self.routes(), log, self.metrics, self.pools)
        sockets = listen(point.host, point.port)
        self.port = sockets[0].getsockname()[1]
        await self.engine.start({"web": sockets})
        await self.connect()

    def routes(self) -> Routes:
        guard = routing.ForwardAuth(
            "guard", f"http://127.0.0.1:1{QUESTION}", fused=True, trust_forward_header=True, auth_response_headers=NAMES
        )
        own = routing.Internal("outpost@internal")
        app = routing.LoadBalancer("app@file", (routing.Server(self.application.url),))
        prefix = routing.PathPrefix("/outpost.goauthentik.io/")
        routers = (
            routing.Router("outpost", ("web",), prefix, "", 2, (), own.name),
            routing.Router("app", ("web",), routing.Host(HOST), "", 1, (guard,), "app@file"),
        )
        return Routes.build(routing.RoutingTable(1, routers, {"app@file": app, own.name: own}), self)

    async def cookie(self, person: Person) -> str:
        browser = self.world.browser(person, HOST)
        browser.scheme = "http"
        await browser.log_in("/")
        return f"Cookie: {browser.cookie_header()}"

    async def say(self, message: bytes) -> bytes:
        return (await self.ask([message]))[0].lower()


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Shared]:
    side = Shared(tmp_path)
    await side.start()
    yield side
    await side.stop()


@pytest.mark.parametrize("path", ["/.well-known/x", "/a?q=" + "x" * 2100])
async def test_a_stranger_is_not_whoever_came_next_on_the_connection(shared: Shared, path: str) -> None:
    """Whoever asks for a path of the outpost is not let in with the session of the next request behind it."""
    bob = await shared.cookie(BOB)
    for _ in range(4):
        assert b"username: bob" in await shared.say(get("/", "Accept: */*", bob))
    for _ in range(4):
        await shared.say(get(PING, "Accept: */*"))
        assert b"username: bob" in await shared.say(get(path, "Accept: */*", bob))
    assert b"302 found" in await shared.say(get("/", "Accept: */*"))


async def test_a_page_is_not_answered_with_what_was_said_about_the_next(shared: Shared) -> None:
    """What a proxy was told about Bob, right behind a page of Mallory's, is no answer to Mallory."""
    bob, mallory = await shared.cookie(BOB), await shared.cookie(MALLORY)
    page = get("/", mallory, "X-Forwarded-Uri: /")
    about = get(QUESTION, bob, "X-Forwarded-Uri: /", f"X-Forwarded-Host: {HOST}", "X-Forwarded-Proto: http")
    for _ in range(5):
        assert b"username: mallory" in await shared.say(page)
    await shared.say(about.replace(b"\r\n\r\n", b"\r\nX-Other: 1\r\n\r\n"))  # Bob's session is known from here on
    shared.goes_on.clear()
    shared.reached.clear()
    assert shared.writer is not None
    shared.writer.write(page)
    await shared.reached.wait()
    shared.writer.write(about)
    await asyncio.sleep(0.05)
    shared.goes_on.set()
    for _ in range(2):
        await shared._response(False)
    assert b"username: mallory" in await shared.say(page)
